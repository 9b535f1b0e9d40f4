/** The middleware of the API, as clients see it: which problems it adds to an endpoint. What it does is in `…Guard.ts`. */
import { HttpApiMiddleware } from "effect/http-api"
import * as Problems from "../problems/ProblemTypes.ts"

/** On every endpoint: what can't be decoded, and defects. */
export class Boundary extends HttpApiMiddleware.Service<Boundary>()("ordinal/http/api/Boundary", {
  error: [Problems.invalidRequest, Problems.internal]
}) {}

/** On every command: what is said about its body, and the deadline. */
export class CommandBoundary extends HttpApiMiddleware.Service<CommandBoundary>()("ordinal/http/api/CommandBoundary", {
  error: [
    Problems.invalidRequest,
    Problems.requestTimeout,
    Problems.contentTooLarge,
    Problems.unsupportedMediaType,
    Problems.outcomeUnknown
  ]
}) {}

/** On every query: the deadline. */
export class QueryBoundary extends HttpApiMiddleware.Service<QueryBoundary>()("ordinal/http/api/QueryBoundary", {
  error: [Problems.overloaded]
}) {}
