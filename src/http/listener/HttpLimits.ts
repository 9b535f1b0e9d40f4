/**
 * Bounds the time of each phase of a request. `HttpError.ts` has the limits of its size, which clients may want to
 * know.
 */
import { Context, Duration } from "effect"

export interface HttpLimits {
  /** The headers must end within this time after the first byte. */
  readonly headers: Duration.Duration
  /** The body must end within this time after the headers. */
  readonly body: Duration.Duration
  /**
   * The answer must come within this time after the body, besides the time that the caller agrees to wait for a view.
   */
  readonly request: Duration.Duration
  /** A caller must have taken a whole answer within about this time after its end. */
  readonly answer: Duration.Duration
  /** So many connections may be open at the same time; further ones are closed at once. */
  readonly connections: number
  /** An idle connection is kept open for so long. */
  readonly keepAlive: Duration.Duration
  /** Open requests get so much time when the server stops. */
  readonly shutdown: Duration.Duration
}

export const defaults: HttpLimits = {
  headers: Duration.seconds(10),
  body: Duration.seconds(30),
  request: Duration.seconds(10),
  answer: Duration.seconds(60),
  connections: 10_000,
  keepAlive: Duration.seconds(5),
  shutdown: Duration.seconds(20)
}

export const HttpLimits = Context.Reference<HttpLimits>("ordinal/http/listener/HttpLimits", {
  defaultValue: () => defaults
})
