/**
 * The errors that a command can end with besides the rejections of its own domain, and the kind of each.
 *
 * A caller acts on the kind: a conflict asks for another look at the state, an unavailable service for another try after
 * `retryAfter` seconds. Defects are not here: they die.
 */
import { Predicate, Schema } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { InvalidRequest } from "./InvalidRequest.ts"
import type { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../eventstore/EventStoreErrors.ts"
import { StreamId } from "../eventstore/StreamId.ts"

/** The stream is at another version than the caller's precondition names. Nothing was done. */
export class VersionMismatch extends Schema.TaggedError<VersionMismatch>()(
  "VersionMismatch",
  { expected: Schema.optionalKey(Schema.Int), currentVersion: Schema.Int },
  { httpApiStatus: 412 }
) {
  override get message() {
    return `The current version is ${this.currentVersion}, which is not what your precondition asks for. Nothing was done; read the current version and decide anew.`
  }
}

/**
 * A stream that the command's `guards` name is at `version` and not at the guard's, so what the command was made from has
 * changed. Nothing was done.
 */
export class GuardMoved extends Schema.TaggedError<GuardMoved>()("GuardMoved", {
  streamId: StreamId,
  version: Schema.Int
}) {
  override get message() {
    return `Stream ${this.streamId} is at version ${this.version}, which is not the one of the command's guard. Nothing was done; read that stream again and make the command anew.`
  }
}

/** The caller's idempotency key was used before, for another request. Nothing was done. */
export class CommandIdReused extends Schema.TaggedError<CommandIdReused>()(
  "CommandIdReused",
  {},
  { httpApiStatus: 422 }
) {
  override get message() {
    return "This Idempotency-Key was used for another request. Nothing was done; send the first request again as it was, or take a new key."
  }
}

/** The same command is still running and did not end in the time that this caller could wait. */
export class CommandInProgress extends Schema.TaggedError<CommandInProgress>()(
  "CommandInProgress",
  { retryAfter: Schema.Finite },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `A request with this Idempotency-Key is still running. Send it again in ${this.retryAfter} s.`
  }
}

/**
 * Tells whether a text is 1 to 255 printable ASCII characters. An empty key is refused, because all commands that were
 * sent with it would count as the same command.
 */
export const isIdempotencyKey = (key: string): boolean => /^[\x20-\x7e]{1,255}$/.test(key)

/** The text given as an idempotency key is not a valid one. Nothing was done. */
export class InvalidIdempotencyKey extends Schema.TaggedError<InvalidIdempotencyKey>()(
  "InvalidIdempotencyKey",
  {},
  { httpApiStatus: 400 }
) {
  override get message() {
    return "An Idempotency-Key is 1 to 255 printable ASCII characters, bare or in double quotes. Nothing was done."
  }
}

/** The process is shutting down. Nothing was done. */
export class Draining extends Schema.TaggedError<Draining>()(
  "Draining",
  { retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `This process is shutting down. Nothing was done; try again in ${this.retryAfter} s.`
  }
}

/**
 * Commands for this id failed by defects several times in a row, so it is closed for a while; or its stream holds an event
 * of the type `unknownEvent`, which a newer program has stored and this one does not know. Nothing was done.
 */
export class AggregateSuspended extends Schema.TaggedError<AggregateSuspended>()(
  "AggregateSuspended",
  { retryAfter: Schema.Finite, unknownEvent: Schema.optionalKey(Schema.String) },
  { httpApiStatus: 503 }
) {
  override get message() {
    if (this.unknownEvent !== undefined) {
      return `A newer program has stored an event of type ${this.unknownEvent} for this id, which this one does not know. Nothing was done; send the request to a server that is as new, or try again in ${this.retryAfter} s.`
    }
    return `Commands for this id keep failing inside the server, so the id is suspended. Nothing was done; try again in ${this.retryAfter} s.`
  }
}

/** Only a remote service fails so: its server was not reached, or something else answered. Nothing was done. */
export class ServerUnreachable extends Schema.TaggedError<ServerUnreachable>()("ServerUnreachable", {
  reason: Schema.String,
  /** The caller should wait so many seconds. */
  retryAfter: Schema.Finite,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `The server can't be reached (${this.reason}). Nothing was done; try again in ${this.retryAfter} s.`
  }
}

/**
 * These errors say that the service can't answer now; each has `retryAfter` in seconds. Only after `OutcomeUnknown` may
 * the events of the command be stored.
 */
export type Unavailable =
  | Overloaded
  | DatabaseUnavailable
  | OutcomeUnknown
  | Draining
  | AggregateSuspended
  | ServerUnreachable

/** `Aggregates.send` fails with these besides the domain's own rejection, and with `GuardMoved` if there are guards. */
export type SendError = ConcurrencyConflict | VersionMismatch | InvalidRequest | Unavailable

/** Commands with an idempotency key fail with these besides. */
export type IdempotencyError = CommandIdReused | CommandInProgress | InvalidIdempotencyKey

export type ErrorKind = "rejection" | "conflict" | "unavailable"

/** The compiler asks for the kind of every new error of these unions. */
const kinds: { readonly [Tag in (SendError | GuardMoved | IdempotencyError)["_tag"]]: ErrorKind } = {
  GuardMoved: "conflict",
  ConcurrencyConflict: "conflict",
  VersionMismatch: "conflict",
  InvalidRequest: "rejection",
  CommandIdReused: "conflict",
  CommandInProgress: "conflict",
  InvalidIdempotencyKey: "rejection",
  Overloaded: "unavailable",
  DatabaseUnavailable: "unavailable",
  OutcomeUnknown: "unavailable",
  Draining: "unavailable",
  AggregateSuspended: "unavailable",
  ServerUnreachable: "unavailable"
}

const isKnown = (tag: unknown): tag is keyof typeof kinds => typeof tag === "string" && Object.hasOwn(kinds, tag)

/** The kind of a typed error. An error that is not in the table above is the domain's own, so it is a rejection. */
export const kindOf = (error: unknown): ErrorKind =>
  Predicate.hasProperty(error, "_tag") && isKnown(error._tag) ? kinds[error._tag] : "rejection"

export const isUnavailable = (error: unknown): error is Unavailable => kindOf(error) === "unavailable"
