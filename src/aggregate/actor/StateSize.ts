/**
 * Estimates the memory that a state takes, without encoding it: its objects, arrays and texts as V8 keeps them, to within a
 * third. What several states share is counted in each.
 */
const pointer = 8
/** An object or array has a header; a text, a big integer and a fraction have a smaller one. */
const header = 32
const leafHeader = 16

/** Values beyond so many are not looked at, so that a state that holds itself has an end. */
const maxValues = 100_000

/** Returns bytes. */
export const sizeOf = (state: unknown): number => {
  let bytes = 0
  const left: Array<unknown> = [state]
  for (let looked = 0; left.length > 0 && looked < maxValues; looked++) {
    const value = left.pop()
    if (typeof value === "string") bytes += leafHeader + value.length
    else if (typeof value === "bigint") bytes += leafHeader + pointer
    else if (typeof value === "object" && value !== null) {
      const isKeyed = value instanceof Map || value instanceof Set
      const members = isKeyed ? [...value].flat() : Object.values(value)
      bytes += header + members.length * pointer
      for (const member of members) if (typeof member !== "number" && typeof member !== "boolean") left.push(member)
    }
  }
  return bytes
}
