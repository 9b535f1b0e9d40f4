/** The middleware of the API, as clients see it: which problems it adds to an endpoint. What it does is in `…Guard.ts`. */
import { HttpApiMiddleware } from "effect/http-api"
import { Problems } from "../problems/Problems.ts"

/** On every endpoint: what can't be decoded, and defects. */
export class Boundary extends HttpApiMiddleware.Service<Boundary>()("ordinal/http/api/Boundary", {
  error: [Problems.InvalidRequest, Problems.InternalError]
}) {}

/** On every command: what is said about its body, and the deadline. */
export class CommandBoundary extends HttpApiMiddleware.Service<CommandBoundary>()("ordinal/http/api/CommandBoundary", {
  error: [
    Problems.InvalidRequest,
    Problems.RequestTimeout,
    Problems.ContentTooLarge,
    Problems.UnsupportedMediaType,
    Problems.OutcomeUnknown
  ]
}) {}

/** On every query: the deadline. */
export class QueryBoundary extends HttpApiMiddleware.Service<QueryBoundary>()("ordinal/http/api/QueryBoundary", {
  error: [Problems.Overloaded]
}) {}
