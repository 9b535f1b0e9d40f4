/**
 * Declares the middleware of the API as clients see it: the problems that it adds to endpoints. `EndpointMiddleware`
 * implements it.
 */
import { HttpApiMiddleware } from "effect/http-api"
import { Problems } from "../problems/Problems.ts"

/** Any endpoint may answer these. */
export const boundaryErrors = [
  Problems.InvalidRequest,
  Problems.ForeignHost,
  Problems.RateLimited,
  Problems.InternalError
] as const

/** Every endpoint refuses foreign hosts, too many requests and what can't be decoded, and answers a defect. */
export class Boundary extends HttpApiMiddleware.Service<Boundary>()("ordinal/http/api/Boundary", {
  error: boundaryErrors
}) {}

/** Any command may answer these. */
export const commandBoundaryErrors = [
  Problems.InvalidRequest,
  Problems.ForeignOrigin,
  Problems.RequestTimeout,
  Problems.ContentTooLarge,
  Problems.UnsupportedMediaType,
  Problems.OutcomeUnknown
] as const

/** Every command refuses pages of other sites, checks its body and ends at the deadline. */
export class CommandBoundary extends HttpApiMiddleware.Service<CommandBoundary>()("ordinal/http/api/CommandBoundary", {
  error: commandBoundaryErrors
}) {}

/** Every query ends at the deadline. */
export class QueryBoundary extends HttpApiMiddleware.Service<QueryBoundary>()("ordinal/http/api/QueryBoundary", {
  error: [Problems.QueryOverdue]
}) {}

/**
 * Every endpoint but those of health checks knows its caller, where the server asks for tokens, and refuses what is not
 * for them. `guard/Guard` implements it.
 */
export class Authorized extends HttpApiMiddleware.Service<Authorized>()("ordinal/http/api/Authorized", {
  error: [Problems.Unauthorized, Problems.Forbidden, Problems.IdentityUnavailable, Problems.RateLimited]
}) {}

/** A process whose role is not all of the work refuses what is for others. Health and problem types are for every process. */
export class ServedHere extends HttpApiMiddleware.Service<ServedHere>()("ordinal/http/api/ServedHere", {
  error: [Problems.NotServedHere]
}) {}
