/** What can go wrong before a request reaches the domain. */
import { Schema } from "effect"

export const maxBodyBytes = 256 * 1024
export const maxJsonDepth = 32

/** `path` as in `lines[0].quantity` for the body; parameters are `query.limit`, `path.id`, `header.if-match`. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()(
  "InvalidRequest",
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) },
  { httpApiStatus: 400 }
) {
  static of(path: string, message: string) {
    return new InvalidRequest({ errors: [{ path, message }] })
  }
  override get message() {
    return `the request could not be read: ${this.errors.map((error) => `${error.path}: ${error.message}`).join("; ")}`
  }
}

export class RouteNotFound extends Schema.TaggedError<RouteNotFound>()("RouteNotFound", {}, { httpApiStatus: 404 }) {
  override get message() {
    return "there is nothing at this path; GET /openapi.json lists what there is"
  }
}

export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()(
  "MethodNotAllowed",
  { allow: Schema.Array(Schema.String) },
  { httpApiStatus: 405 }
) {
  override get message() {
    return `this path does not know that method; use ${this.allow.join(", ")}`
  }
}

export class RequestTimeout extends Schema.TaggedError<RequestTimeout>()("RequestTimeout", {}, { httpApiStatus: 408 }) {
  override get message() {
    return "the request's body did not arrive in time; nothing was done; send it again"
  }
}

export class ContentTooLarge extends Schema.TaggedError<ContentTooLarge>()(
  "ContentTooLarge",
  { limit: Schema.Int },
  { httpApiStatus: 413 }
) {
  override get message() {
    return `the body is larger than ${this.limit} bytes; send less`
  }
}

export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  { header: Schema.Literals(["content-type", "content-encoding"]) },
  { httpApiStatus: 415 }
) {
  override get message() {
    return this.header === "content-type"
      ? "the body must be JSON; send Content-Type: application/json"
      : "the body must not be compressed; send it without Content-Encoding"
  }
}

/** A page of another site must not read events with its visitor's rights. */
export class ForeignOrigin extends Schema.TaggedError<ForeignOrigin>()(
  "ForeignOrigin",
  { origin: Schema.String },
  { httpApiStatus: 403 }
) {
  override get message() {
    return `pages of ${this.origin} may not open a WebSocket here; let the server allow that origin, or use its own`
  }
}

/** A page in an operator's browser must not act with the operator's rights, whatever name it reaches this port by. */
export class ForeignRequest extends Schema.TaggedError<ForeignRequest>()(
  "ForeignRequest",
  { header: Schema.Literals(["origin", "sec-fetch-site", "host"]), value: Schema.String },
  { httpApiStatus: 403 }
) {
  override get message() {
    const remedy =
      this.header === "host" ? "use localhost or 127.0.0.1" : "type the address, or use a program such as curl"
    return `pages of other sites are not answered here, and the request's ${this.header} is "${this.value}"; ${remedy}`
  }
}

/** A defect. Its details are in the server's log, under the id in `instance`. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}, { httpApiStatus: 500 }) {
  override get message() {
    return "something is broken inside the server; report the id in instance"
  }
}
