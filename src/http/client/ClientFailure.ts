/**
 * Turns what can happen between a client and its server into errors of `Orders`. A command that was certainly not done
 * is told from one that perhaps was. What only a broken program can cause is a defect here, as it is in process.
 */
import { Data, Effect, Schema } from "effect"
import { HttpClientError } from "effect/http"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { Forbidden, IdentityUnavailable, Unauthorized } from "../../identity/IdentityErrors.ts"
import { ServerUnreachable } from "../../orders/OrdersError.ts"
import {
  ContentTooLarge,
  ForeignHost,
  ForeignOrigin,
  InternalError,
  NotServedHere,
  QueryOverdue,
  RateLimited,
  RequestTimeout,
  UnsupportedMediaType
} from "../problems/HttpError.ts"

/** The response is none of the API's. */
class UnreadableResponse extends Data.TaggedError("UnreadableResponse")<{ readonly cause: Schema.SchemaError }> {}

const refusals = [
  RequestTimeout,
  QueryOverdue,
  ForeignHost,
  ForeignOrigin,
  NotServedHere,
  RateLimited,
  Unauthorized,
  Forbidden,
  IdentityUnavailable
] as const

/** The server did nothing. */
type Refused = InstanceType<(typeof refusals)[number]>
type Transport = HttpClientError.HttpClientError | Refused
/** These mean that this program, or the server, has a bug. */
type Broken = Schema.SchemaError | InternalError | ContentTooLarge | UnsupportedMediaType
/** The definition of the API adds these errors to those of `Orders`. */
type NotOfOrders = Transport | Broken

/** Marks a response that could not be decoded: the same error of a request would mean that it was not sent. */
export const markUnreadable = (
  response: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.mapError(response, (error) => (Schema.isSchemaError(error) ? new UnreadableResponse({ cause: error }) : error))

const isRefused = (error: unknown): error is Refused => refusals.some((refused) => error instanceof refused)

const isTransport = (error: unknown): error is Transport | UnreadableResponse =>
  HttpClientError.isHttpClientError(error) || error instanceof UnreadableResponse || isRefused(error)

const isBroken = (error: unknown): error is Broken =>
  Schema.isSchemaError(error) ||
  [InternalError, ContentTooLarge, UnsupportedMediaType].some((broken) => error instanceof broken)

export const unreachable = (reason: string, cause?: unknown): ServerUnreachable =>
  new ServerUnreachable({ reason, retryAfter: 1, ...(cause === undefined ? {} : { cause }) })

const reasonOf = (error: Transport | UnreadableResponse): string => {
  if (error instanceof UnreadableResponse) return "its answer can't be read"
  if (error instanceof RequestTimeout) return "the request took too long to arrive"
  if (error instanceof QueryOverdue) return "its answer took too long"
  if (error instanceof ForeignHost) return `it does not answer to the name ${error.host}`
  if (error instanceof ForeignOrigin) return `it refuses requests of pages of ${error.value}`
  if (error instanceof NotServedHere) return `its ROLE does not include ${error.role}`
  if (error instanceof RateLimited) return `it takes no more requests of this caller for ${error.retryAfter} s`
  if (error instanceof Unauthorized) return "it does not take the token of this client, which sends one in its headers"
  if (error instanceof Forbidden) return `this client may not do that, which needs ${error.needs}`
  if (error instanceof IdentityUnavailable) return "it can't find out who is calling"
  const { response } = error
  return response === undefined ? "no connection" : `it answered ${response.status} as this API does not`
}

/**
 * Tells whether no connection was made, so that nothing was sent. Runtimes without these error codes leave it unknown.
 */
const isBeforeSending = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isBeforeSending)
  if (!(error instanceof Error)) return false
  const { code = "", syscall } = error as NodeJS.ErrnoException
  return (
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    code === "UND_ERR_CONNECT_TIMEOUT" ||
    /CERT|UNABLE_TO_VERIFY/.test(code) ||
    isBeforeSending(error.cause)
  )
}

/**
 * Tells whether the server may have done the command. A status of 300 to 499 that this API does not use comes from
 * something in front of the server, which did not pass the request on.
 */
const isPerhapsDone = (error: Transport | UnreadableResponse): boolean => {
  if (error instanceof UnreadableResponse) return true
  if (isRefused(error)) return false
  const { reason, response } = error
  if (response !== undefined) return response.status < 300 || response.status >= 500
  return reason._tag === "TransportError" && !isBeforeSending(reason.cause)
}

const translate = <A, E, E2>(call: Effect.Effect<A, E>, ofTransport: (error: Transport | UnreadableResponse) => E2) =>
  Effect.catch(call, (error): Effect.Effect<never, Exclude<E, NotOfOrders> | E2> => {
    if (isTransport(error)) return Effect.fail(ofTransport(error))
    if (isBroken(error)) return Effect.die(error)
    return Effect.fail(error as Exclude<E, NotOfOrders>)
  })

const unanswered = new WeakSet<object>()

/** Makes the failure of a command whose answer did not come, unlike that of one whose server says that it does not know. */
export const notAnswered = (): OutcomeUnknown => {
  const error = new OutcomeUnknown({ retryAfter: 1 })
  unanswered.add(error)
  return error
}

export const isUnanswered = (error: unknown): boolean => error instanceof OutcomeUnknown && unanswered.has(error)

export const ofCommand = <A, E>(call: Effect.Effect<A, E>) =>
  translate(call, (error) => (isPerhapsDone(error) ? notAnswered() : unreachable(reasonOf(error), error)))

export const ofQuery = <A, E>(call: Effect.Effect<A, E>) =>
  translate(call, (error) => unreachable(reasonOf(error), error))
