/** An event's name for the outside: `order.line-added.v1`. Subscribers match on it, so it never changes. */

const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase()

/** The category, the event's name without a leading category in kebab case, the schema version. */
export const wireType = (category: string, type: string, schemaVersion: number): string => {
  const prefix = category.charAt(0).toUpperCase() + category.slice(1)
  const isLeading = type.startsWith(prefix) && /^[A-Z]/.test(type.slice(prefix.length))
  return `${category}.${kebab(isLeading ? type.slice(prefix.length) : type)}.v${schemaVersion}`
}
