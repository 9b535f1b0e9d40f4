/** Has no prototype that would take a member named `__proto__` for itself. */
class Members {
  [name: string]: unknown
}
Object.setPrototypeOf(Members.prototype, null)

/** Copies objects, with their members in the order of their names. */
const ordered = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || "toJSON" in value) return value
  if (Array.isArray(value)) return value.map(ordered)
  const copy = new Members()
  for (const name of Object.keys(value).sort()) copy[name] = ordered(Reflect.get(value, name))
  return copy
}

/**
 * Makes one text per JSON value, whatever the order of its keys, for fingerprints. `undefined` members are left out.
 * Fingerprints are stored, so the text of a value must never change.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value))
