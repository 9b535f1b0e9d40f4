/**
 * What can come between a client and its server, as errors of the order service: a command that was certainly not done
 * is told from one that perhaps was. What only a broken program can cause is a defect here as it is in process.
 */
import { Data, Effect, Schema } from "effect"
import { HttpClientError } from "effect/http"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { ServerUnreachable } from "../../orders/OrdersError.ts"
import {
  ContentTooLarge,
  InternalError,
  InvalidRequest,
  RequestTimeout,
  UnsupportedMediaType
} from "../problems/HttpError.ts"

type Transport = HttpClientError.HttpClientError | RequestTimeout
/** A request or an answer that can't be: this program, or the server, has a bug. */
type Broken = Schema.SchemaError | InvalidRequest | InternalError | ContentTooLarge | UnsupportedMediaType
/** What the definition of the API adds to the errors of the service. */
export type Foreign = Transport | Broken

/** An answer that is not one of the API's. */
class UnreadableAnswer extends Data.TaggedError("UnreadableAnswer")<{ readonly cause: Schema.SchemaError }> {}

/** Marks what could not be decoded: the same error of a request would mean that it was not sent. */
export const markUnreadable = (
  answer: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.mapError(answer, (error) => (Schema.isSchemaError(error) ? new UnreadableAnswer({ cause: error }) : error))

const isTransport = (error: unknown): error is Transport | UnreadableAnswer =>
  HttpClientError.isHttpClientError(error) || error instanceof UnreadableAnswer || error instanceof RequestTimeout

const isBroken = (error: unknown): error is Broken =>
  Schema.isSchemaError(error) ||
  [InvalidRequest, InternalError, ContentTooLarge, UnsupportedMediaType].some((broken) => error instanceof broken)

export const unreachable = (reason: string, cause?: unknown): ServerUnreachable =>
  new ServerUnreachable({ reason, retryAfter: 1, ...(cause === undefined ? {} : { cause }) })

const reasonOf = (error: Transport | UnreadableAnswer): string => {
  if (error instanceof UnreadableAnswer) return "its answer can't be read"
  if (error instanceof RequestTimeout) return "the request took too long to arrive"
  const { response } = error
  return response === undefined ? "no connection" : `it answered ${response.status} as this API does not`
}

/** The connection was never made, so nothing can have been sent over it. Nothing is known where there are no such codes. */
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

/** Below 500 an answer that is none of ours comes from something before the server, which kept the request. */
const isPerhapsDone = (error: Transport | UnreadableAnswer): boolean => {
  if (error instanceof UnreadableAnswer) return true
  if (error instanceof RequestTimeout) return false
  const { reason, response } = error
  if (response !== undefined) return response.status < 300 || response.status >= 500
  return reason._tag === "TransportError" && !isBeforeSending(reason.cause)
}

const translate = <A, E, E2>(call: Effect.Effect<A, E>, ofTransport: (error: Transport | UnreadableAnswer) => E2) =>
  Effect.catch(call, (error): Effect.Effect<never, Exclude<E, Foreign> | E2> => {
    if (isTransport(error)) return Effect.fail(ofTransport(error))
    if (isBroken(error)) return Effect.die(error)
    return Effect.fail(error as Exclude<E, Foreign>)
  })

export const ofCommand = <A, E>(call: Effect.Effect<A, E>) =>
  translate(call, (error) =>
    isPerhapsDone(error) ? new OutcomeUnknown({ retryAfter: 1 }) : unreachable(reasonOf(error), error)
  )

export const ofQuery = <A, E>(call: Effect.Effect<A, E>) =>
  translate(call, (error) => unreachable(reasonOf(error), error))
