/** Defines what is answered to callers whom the server does not know, or who may not do what they ask for. */
import { Schema } from "effect"

const reasons = {
  missing: "This server asks who is calling, and the request does not say. Send Authorization: Bearer with a token",
  invalid: "The token or key of the request is not accepted here. Send one that was made for this server",
  expired: "The token or key of the request has expired. Send a new one"
}

/**
 * Nothing was done. Why a token is not accepted is told to nobody, but that it has expired, so that nobody can feel their
 * way to one.
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { reason: Schema.Literals(["missing", "invalid", "expired"]) },
  { httpApiStatus: 401 }
) {
  override get message() {
    return `${reasons[this.reason]}; nothing was done.`
  }
}

/** The caller is known. `needs` says what they lack: a role, a scope, or to be another customer. */
export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  {
    needs: Schema.String,
    /** A key would need this scope. */
    scope: Schema.optionalKey(Schema.String)
  },
  { httpApiStatus: 403 }
) {
  override get message() {
    return `You may not do this, which needs ${this.needs}; nothing was done.`
  }
}

/** There is no API key with this id. */
export class UnknownKey extends Schema.TaggedError<UnknownKey>()(
  "UnknownKey",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no API key ${this.id}.`
  }
}

/** The issuer's signing keys, or the API keys, can't be read now, so it can't be told who is calling. */
export class IdentityUnavailable extends Schema.TaggedError<IdentityUnavailable>()(
  "IdentityUnavailable",
  { retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `The server can't find out now who is calling; nothing was done; try again in ${this.retryAfter} s.`
  }
}

/** A request is refused so before anything is done. */
export type Refusal = Unauthorized | Forbidden | IdentityUnavailable
