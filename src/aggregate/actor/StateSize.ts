/**
 * Estimates the memory that a state takes, without encoding it: its objects, arrays and texts as V8 keeps them, to within a
 * third. What several states share is counted in each.
 */
const pointer = 8
/** An object or array has a header; a text, a big integer and a fraction have a smaller one. */
const header = 32
const leafHeader = 16

/** Objects beyond so many, or so deep, are not looked at, so that a state that holds itself has an end. */
const maxObjects = 100_000
const maxDepth = 100

const isKeyed = (value: object): value is Iterable<unknown> => value instanceof Map || value instanceof Set

/** Returns bytes. */
export const sizeOf = (state: unknown): number => {
  let objects = 0

  const bytesOf = (value: unknown, depth: number): number => {
    if (typeof value === "string") return leafHeader + value.length
    if (typeof value === "bigint") return leafHeader + pointer
    if (typeof value !== "object" || value === null) return 0
    objects += 1
    if (objects > maxObjects || depth > maxDepth) return 0
    let bytes = header
    if (Array.isArray(value) || isKeyed(value)) {
      for (const member of value) bytes += pointer + bytesOf(member, depth + 1)
    } else {
      // This is the fastest way over the members of a plain object, and a command that is answered waits for it.
      for (const key in value) bytes += pointer + bytesOf(value[key as keyof typeof value], depth + 1)
    }
    return bytes
  }

  return bytesOf(state, 0)
}
