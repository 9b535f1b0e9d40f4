/**
 * Says what is wrong with a request that its schema refuses, as `errors[{ path, message }]` in words for its author.
 * `HttpApiMiddleware.layerProblemDetails` has other paths and a problem type without a slug, so it can't say the same.
 */
import { SchemaAST, SchemaIssue } from "effect"
import type { HttpApiError } from "effect/http-api"
import { InvalidRequest } from "./HttpError.ts"

const maxErrors = 50
const maxPath = 200

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => {
    if (issue._tag === "MissingKey") return "is missing"
    if (issue._tag === "UnexpectedKey") return "is unknown here"
    // The default message would name the schema.
    if (issue._tag === "InvalidType" && SchemaAST.isObjects(issue.ast)) return "Expected an object"
    return SchemaIssue.defaultLeafHook(issue)
  }
})

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
  const errors = format(issue).issues.map(({ message, path = [] }) => ({
    path: join(slots[kind], path.map(keyOf)),
    message
  }))
  return new InvalidRequest({ errors: errors.slice(0, maxErrors) })
}
