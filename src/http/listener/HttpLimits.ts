/** How long each phase of a request may take. `HttpError.ts` has the limits of its size, which clients may want to know. */
import { Context, Duration } from "effect"

export interface HttpLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headers: Duration.Duration
  /** From the end of the headers to the end of the body. */
  readonly body: Duration.Duration
  /** From the end of the body to the answer, besides the time that the caller agrees to wait for a view. */
  readonly request: Duration.Duration
  /** An idle connection is kept open for so long. */
  readonly keepAlive: Duration.Duration
  /** Open requests get so much time when the server stops. */
  readonly shutdown: Duration.Duration
}

export const defaults: HttpLimits = {
  headers: Duration.seconds(10),
  body: Duration.seconds(30),
  request: Duration.seconds(10),
  keepAlive: Duration.seconds(5),
  shutdown: Duration.seconds(20)
}

export const HttpLimits = Context.Reference<HttpLimits>("ordinal/http/listener/HttpLimits", {
  defaultValue: () => defaults
})
