/**
 * Says what is wrong with a request that its schema refuses, as `errors[{ path, message }]` in words for its author.
 * `HttpApiMiddleware.layerProblemDetails` has other paths and a problem type without a slug, so it can't say the same.
 */
import { SchemaIssue } from "effect"
import type { HttpApiError } from "effect/http-api"
import { inWords, leafHook } from "../../aggregate/MistakeText.ts"
import { InvalidRequest } from "./HttpError.ts"

const maxErrors = 50
const maxPath = 200

const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook })

const atLeastOne = "Expected at least one item; a shipment without the member items takes all that is left to ship"

const slots: Partial<Record<HttpApiError.HttpApiSchemaError["kind"], string>> = {
  Params: "path",
  Query: "query",
  Headers: "header"
}

const join = (slot: string | undefined, path: ReadonlyArray<PropertyKey>): string => {
  const text = path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text === "" ? "" : "."}${String(key)}`),
    slot ?? ""
  )
  return text === "" ? "body" : text.slice(0, maxPath).toWellFormed()
}

const keyOf = (segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  typeof segment === "object" ? segment.key : segment

export const invalidRequest = ({ cause: { issue }, kind }: HttpApiError.HttpApiSchemaError): InvalidRequest => {
  // An object was expected, and the body is none.
  if (issue._tag === "AnyOf" && issue.issues.length === 0) return InvalidRequest.of("body", "Expected an object")
  const errors = format(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map(keyOf)
    // An array that must not be empty lacks its first item.
    if (message === "is missing" && keys.at(-1) === 0)
      return { path: join(slots[kind], keys.slice(0, -1)), message: atLeastOne }
    return { path: join(slots[kind], keys), message: inWords(message, keys.at(-1)) }
  })
  return new InvalidRequest({ errors: errors.slice(0, maxErrors) })
}
