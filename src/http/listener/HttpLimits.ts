/** How long a request may take. Its size is in HttpError.ts, since clients may want to know it. */
import { Context, Duration } from "effect"

export interface HttpLimits {
  /** From the first byte to the end of the headers. */
  readonly headers: Duration.Duration
  /** Until the body is there. */
  readonly body: Duration.Duration
  /** From there to the answer, not counting what the caller is willing to wait for a view. */
  readonly request: Duration.Duration
  readonly keepAlive: Duration.Duration
  /** For open requests, when the server stops. */
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
