/** Judges any answer: OpenAPI must list its status, and an error must be a problem document. */

/** These are statuses of any path whatsoever, which no operation lists. */
const ofAnyPath = new Set([405, 414, 431])

type Methods<Operation> = { readonly [Method in "get" | "put" | "post" | "delete" | "patch"]?: Operation }

/** Finds the operation of a request; `undefined`: its path or its method is not in the document. */
export const operationsOf = <Operation extends { readonly responses: object }>(
  paths: Readonly<Record<string, Methods<Operation>>>
) => {
  const patterns = Object.entries(paths).map(([path, item]) => ({
    pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}/?$`),
    item
  }))
  return (method: string, url: string): Operation | undefined => {
    const [path = ""] = url.split("?")
    const name = (method === "HEAD" ? "get" : method.toLowerCase()) as keyof Methods<Operation>
    return patterns.find(({ item, pattern }) => pattern.test(path) && item[name] !== undefined)?.item[name]
  }
}

export const isListed = (operation: { readonly responses: object } | undefined, status: number): boolean =>
  operation === undefined || ofAnyPath.has(status) || String(status) in operation.responses

const urnUuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const isText = (value: unknown) => typeof value === "string" && value !== ""

export interface Refusal {
  readonly status: number
  readonly header: (name: string) => unknown
  readonly body: unknown
}

/** Tells what keeps an answer from being a problem document of its status; undefined if nothing does. */
export const problemFault = ({ body, header, status }: Refusal): string | undefined => {
  if (header("content-type") !== "application/problem+json") return `content type ${String(header("content-type"))}`
  if (typeof body !== "object" || body === null) return "no JSON object"
  const { detail, instance, status: said, title, type } = body as Readonly<Record<string, unknown>>
  if (!/^(\/problems\/[a-z-]+|about:blank)$/.test(String(type))) return `type ${String(type)}`
  if (said !== status) return `status ${String(said)} in the document`
  if (!isText(title) || !isText(detail)) return "no title or detail"
  if (!urnUuid.test(String(instance))) return `instance ${String(instance)}`
  const isLater = /^[1-9][0-9]*$/.test(String(header("retry-after")))
  return status === 503 && !isLater ? `Retry-After ${String(header("retry-after"))}` : undefined
}
