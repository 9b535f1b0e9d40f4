/**
 * Defines the errors of HTTP itself, which a request can meet before it reaches the domain, and the limits of its size.
 */
import { Schema } from "effect"

export { InvalidRequest } from "../../aggregate/InvalidRequest.ts"

export const maxBodyBytes = 256 * 1024
export const maxJsonDepth = 32

export class RouteNotFound extends Schema.TaggedError<RouteNotFound>()("RouteNotFound", {}, { httpApiStatus: 404 }) {
  override get message() {
    return "There is nothing at this path; GET /openapi.json lists the paths that exist."
  }
}

export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()(
  "MethodNotAllowed",
  { allow: Schema.Array(Schema.String) },
  { httpApiStatus: 405 }
) {
  override get message() {
    return `This path does not take that method; use ${this.allow.join(" or ")}.`
  }
}

export class RequestTimeout extends Schema.TaggedError<RequestTimeout>()("RequestTimeout", {}, { httpApiStatus: 408 }) {
  override get message() {
    return "The request's body did not arrive in time. Nothing was done; send the request again."
  }
}

/** A query took longer than a request may take. */
export class QueryOverdue extends Schema.TaggedError<QueryOverdue>()(
  "QueryOverdue",
  { seconds: Schema.Finite, retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `The answer was not there after ${this.seconds} s. Ask again in ${this.retryAfter} s, or ask for less.`
  }
}

export class ContentTooLarge extends Schema.TaggedError<ContentTooLarge>()(
  "ContentTooLarge",
  { limit: Schema.Int },
  { httpApiStatus: 413 }
) {
  override get message() {
    return `The body is larger than ${this.limit} bytes; send less.`
  }
}

export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  { header: Schema.Literals(["content-type", "content-encoding"]) },
  { httpApiStatus: 415 }
) {
  override get message() {
    return this.header === "content-type"
      ? "The body must be JSON; send it with Content-Type: application/json."
      : "The body must not be compressed; send it without Content-Encoding."
  }
}

/** The request calls this server by a name that is none of its own, which may be a name of an attacker (DNS rebinding). */
export class ForeignHost extends Schema.TaggedError<ForeignHost>()(
  "ForeignHost",
  { host: Schema.String },
  { httpApiStatus: 403 }
) {
  override get message() {
    return `This server does not answer to the name "${this.host}". Call it localhost or by its address, or add the name to ALLOWED_HOSTS.`
  }
}

/** A page of another site had its visitor's browser send the request, with the visitor's rights. */
export class ForeignOrigin extends Schema.TaggedError<ForeignOrigin>()(
  "ForeignOrigin",
  { header: Schema.Literals(["origin", "sec-fetch-site"]), value: Schema.String },
  { httpApiStatus: 403 }
) {
  override get message() {
    return `Pages of other sites may not send this, and the request's ${this.header} is "${this.value}". Use this server's own pages or a program such as curl, or add the page's origin to ALLOWED_ORIGINS.`
  }
}

/** A process whose ROLE includes the role answers these. */
const answered = { command: "commands", query: "queries" }

/** The role of this process does not include what answers the request; nothing was done. */
export class NotServedHere extends Schema.TaggedError<NotServedHere>()(
  "NotServedHere",
  { role: Schema.Literals(["command", "query"]), retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `This process answers no ${answered[this.role]}: its ROLE does not include ${this.role}. Send the request to one whose ROLE does.`
  }
}

/** The limits of `RateLimits` count these. */
const counted = {
  caller: "This caller sends more requests than it may",
  address: "More requests come from this address than may",
  failures: "Too many requests from this address had no valid credentials",
  streams: "This customer has as many event streams open as one may have"
}

/** The caller, or all of its address together, may send no more for now; nothing was done. */
export class RateLimited extends Schema.TaggedError<RateLimited>()(
  "RateLimited",
  { limit: Schema.Literals(["caller", "address", "failures", "streams"]), retryAfter: Schema.Finite },
  { httpApiStatus: 429 }
) {
  override get message() {
    return `${counted[this.limit]}. Nothing was done; try again in ${this.retryAfter} s.`
  }
}

/** A defect ended the request. The server's log has the cause, under the id in `instance`. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}, { httpApiStatus: 500 }) {
  override get message() {
    return "Something is broken inside the server. Report the id in instance; the server's log has the cause under it."
  }
}
