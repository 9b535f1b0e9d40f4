/**
 * Lists every problem type that the API answers: its error class, its slug and title, when it is met and what to do
 * then. Endpoints, clients and `GET /problems/{slug}` all use this table. A slug is part of the contract and never
 * changes. `AdminProblems` has those that only operators meet.
 */
import { Schema } from "effect"
import * as CommandError from "../../aggregate/CommandErrors.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as IdentityError from "../../identity/IdentityErrors.ts"
import { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { InvalidPosition, ServerUnreachable, VersionNotFound } from "../../orders/OrdersError.ts"
import { InvalidToken, ProjectionBehind } from "../../projection/consistency/ConsistencyToken.ts"
import { InvalidCursor } from "../../projection/view/ViewQuery.ts"
import { Position } from "../wire/Codecs.ts"
import * as HttpError from "./HttpError.ts"
import { OrderProblems } from "./OrderProblems.ts"
import { alias, problem } from "./Problem.ts"

/** Any API of this package may answer these; the other problems are of orders and the catalog. */
export const KernelProblems = {
  InvalidRequest: problem(HttpError.InvalidRequest, "invalid-request", "Invalid request", {
    when: "The path, a header, the query or the body can't be read; nothing was done.",
    remedy: "Correct what `errors` names by path; GET /openapi.json says what is expected."
  }),
  InvalidCursor: problem(
    InvalidCursor,
    "invalid-cursor",
    "Invalid cursor",
    {
      when: "The cursor is malformed, it was made for another filter or sort, or this log does not know its `position`: it is of another log, or that history was lost by restoring an older copy.",
      remedy: "Start again without a cursor, and keep filter and sort the same from page to page."
    },
    { members: { position: Schema.optionalKey(Position) } }
  ),
  InvalidToken: problem(
    InvalidToken,
    "invalid-token",
    "Invalid consistency token",
    {
      when: "The Consistency-Token is malformed, or this log does not know its `position`: it is of another log, or that history was lost by restoring an older copy.",
      remedy: "Drop the token, read without one, and keep the token that comes with the answer."
    },
    { members: { position: Schema.optionalKey(Position) } }
  ),
  InvalidPosition: problem(
    InvalidPosition,
    "invalid-position",
    "Invalid position",
    {
      when: "This log does not know the position: it is of another log, or that history was lost by restoring an older copy.",
      remedy: "Begin after a position that this log gave, after 0 or without one, and compare with what you have."
    },
    { members: { position: Position, head: Position } }
  ),
  InvalidIdempotencyKey: problem(
    CommandError.InvalidIdempotencyKey,
    "invalid-idempotency-key",
    "Invalid idempotency key",
    {
      when: "The Idempotency-Key is not 1 to 255 printable ASCII characters; nothing was done.",
      remedy: "Send a key such as a UUID, bare or in double quotes."
    }
  ),
  ForeignHost: problem(HttpError.ForeignHost, "foreign-host", "Foreign host", {
    when: "The request calls the server by a name that is none of its own; nothing was done.",
    remedy: "Use localhost or an address, or add the name to the server's setting ALLOWED_HOSTS."
  }),
  ForeignOrigin: problem(HttpError.ForeignOrigin, "foreign-origin", "Foreign origin", {
    when: "A page of another site sent a request that only the server's own pages may send; nothing was done.",
    remedy: "Use the server's own pages or a program, or add the page's origin to the setting ALLOWED_ORIGINS."
  }),
  Unauthorized: problem(IdentityError.Unauthorized, "unauthorized", "Unauthorized", {
    when: "The server asks who is calling, and the request has no token or key that is good here; nothing was done.",
    remedy: "Send Authorization: Bearer with a token that has not expired, or an API key."
  }),
  Forbidden: problem(IdentityError.Forbidden, "forbidden", "Forbidden", {
    when: "The caller is known and may not do this. For an order of somebody else, the answer is 404 instead.",
    remedy: "Ask an operator to do it, or send what only concerns yourself; a key needs the scope in `scope`."
  }),
  IdentityUnavailable: problem(
    IdentityError.IdentityUnavailable,
    "identity-unavailable",
    "Callers can't be known now",
    {
      when: "What the server needs to tell who is calling can't be had: the issuer's signing keys, or the database of API keys; nothing was done.",
      remedy: "Send the request again after Retry-After."
    }
  ),
  RouteNotFound: problem(HttpError.RouteNotFound, "not-found", "Not found", {
    when: "There is nothing at this path, or the order does not have this version yet.",
    remedy: "GET /openapi.json lists the paths; the order itself tells its current version."
  }),
  MethodNotAllowed: problem(HttpError.MethodNotAllowed, "method-not-allowed", "Method not allowed", {
    when: "The path exists, but it does not take this method.",
    remedy: "Use one of the methods in `allow` and in the Allow header."
  }),
  RequestTimeout: problem(HttpError.RequestTimeout, "request-timeout", "Request timeout", {
    when: "The request's body did not arrive in time; nothing was done.",
    remedy: "Send the request again."
  }),
  ConcurrencyConflict: problem(ConcurrencyConflict, "concurrency-conflict", "Concurrency conflict", {
    when: "Others kept changing the same thing at the same time, and this request lost each time; nothing was done.",
    remedy: "Read the current state of the resource, then send the request again if it still applies."
  }),
  CommandInProgress: problem(
    CommandError.CommandInProgress,
    "idempotency-in-progress",
    "Request with this key in progress",
    {
      when: "A request with the same Idempotency-Key is still running.",
      remedy: "Send the same request again after `retryAfter` seconds; it gets the answer of the first one."
    }
  ),
  VersionMismatch: problem(CommandError.VersionMismatch, "version-mismatch", "Version mismatch", {
    when: "If-Match names another version than the current one, or If-None-Match: * met something that exists.",
    remedy: "Read again what the command is about, decide anew, and send the new ETag in If-Match."
  }),
  ContentTooLarge: problem(HttpError.ContentTooLarge, "content-too-large", "Content too large", {
    when: "The body has more bytes than `limit`; nothing was done.",
    remedy: "Send a smaller body."
  }),
  UnsupportedMediaType: problem(HttpError.UnsupportedMediaType, "unsupported-media-type", "Unsupported media type", {
    when: "The body is not declared as JSON, or it is compressed; nothing was done.",
    remedy: "Send Content-Type: application/json, without Content-Encoding."
  }),
  CommandIdReused: problem(CommandError.CommandIdReused, "idempotency-key-reused", "Idempotency key reused", {
    when: "The Idempotency-Key was used before, for another request; nothing was done.",
    remedy: "Use a new key for each new request."
  }),
  RateLimited: problem(HttpError.RateLimited, "rate-limited", "Too many requests", {
    when: "The caller or its address has sent more than it may (`limit` says which), or too much that was not authenticated; nothing was done.",
    remedy: "Send the request again after Retry-After, and slow down: RateLimit says how many are left."
  }),
  InternalError: problem(HttpError.InternalError, "internal", "Internal error", {
    when: "Something is broken inside the server; a command may or may not have been stored.",
    remedy: "Report the id in `instance`; the server's log has the cause under that id."
  }),
  ProjectionBehind: problem(
    ProjectionBehind,
    "projection-behind",
    "View not there yet",
    {
      when: "The view did not reach the position of the Consistency-Token in time; no data is lost.",
      remedy: "Ask again after Retry-After, or with Prefer: wait=N; if `parked` is true, an operator has to act first."
    },
    { members: { required: Position, current: Position } }
  ),
  Overloaded: problem(Overloaded, "overloaded", "Overloaded", {
    when: "The server had no room for the request, or no time to answer the query; nothing was done.",
    remedy: "Send the request again after Retry-After; ask for a smaller page if it was a list."
  }),
  Draining: problem(CommandError.Draining, "draining", "Shutting down", {
    when: "The process is shutting down; nothing was done.",
    remedy: "Send the request again after Retry-After; another process will answer."
  }),
  NotServedHere: problem(HttpError.NotServedHere, "not-served-here", "Not served here", {
    when: "This process has a part of the work (its setting ROLE), and `role`, which answers such requests, is none of it; nothing was done.",
    remedy:
      "Send the request to a process whose ROLE includes `role`: to the URL of Link, if there is one, or to the load balancer in front of all processes."
  }),
  OutcomeUnknown: problem(OutcomeUnknown, "outcome-unknown", "Outcome unknown", {
    when: "No answer came in time while the command was being stored, so it may or may not be stored.",
    remedy: "Send it again with the same Idempotency-Key, or read first what the command was about."
  }),
  DatabaseUnavailable: problem(
    DatabaseUnavailable,
    "database-unavailable",
    "Database unavailable",
    {
      when: "The database can't be reached, does not answer, or locks what is needed; `unanswered` means that a change may have been made.",
      remedy: "Send the request again after Retry-After; if it is `unanswered` and a change, look first."
    },
    // A gateway, whose `Orders` is a client of another server, has that server for a database.
    { also: [ServerUnreachable] }
  ),
  AggregateSuspended: problem(CommandError.AggregateSuspended, "aggregate-suspended", "Suspended for a while", {
    when:
      "Commands for this id failed inside the server again and again, so the id is suspended; or a newer server stored an " +
      "event for it that this one does not know (unknownEvent). Nothing was done.",
    remedy: "Send the request again after Retry-After; the server's log has the cause."
  })
}

export const Problems = {
  ...OrderProblems,
  ...KernelProblems,
  QueryOverdue: alias(KernelProblems.Overloaded, HttpError.QueryOverdue),
  VersionNotFound: alias(KernelProblems.RouteNotFound, VersionNotFound, { members: { version: Schema.Int } })
}
