/**
 * Says what is wrong with a request that its schema refuses, as `errors[{ path, message }]` in words for its author.
 * `HttpApiMiddleware.layerProblemDetails` has other paths and a problem type without a slug, so it can't say the same.
 */
import type { HttpApiError } from "effect/http-api"
import { InvalidRequest, mistakesOf } from "../../aggregate/InvalidRequest.ts"

const slots: Partial<Record<HttpApiError.HttpApiSchemaError["kind"], string>> = {
  Params: "path",
  Query: "query",
  Headers: "header"
}

export const invalidRequest = ({ cause: { issue }, kind }: HttpApiError.HttpApiSchemaError): InvalidRequest =>
  InvalidRequest.all(mistakesOf(issue, slots[kind]))
