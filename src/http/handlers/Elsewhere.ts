/**
 * Refuses what is not for this process: without the role for commands it answers no command, without the one for queries no
 * query and no event stream. Whoever asks is sent to a process that answers, if the URL of one is known.
 */
import { Context, Effect, Layer } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { CommandBoundary, ServedHere } from "../api/Boundary.ts"
import { NotServedHere } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { Problems } from "../problems/Problems.ts"

/** Others answer; one of them, or what stands in front of them, at this URL. */
export interface Others {
  readonly url?: string
}

/** Says which requests others answer; this process answers all of them unless it says so. */
export const Elsewhere = Context.Reference<{ readonly command?: Others; readonly query?: Others }>(
  "ordinal/http/handlers/Elsewhere",
  { defaultValue: () => ({}) }
)

/** A WebSocket's request can't be redirected, so it is told the URL. */
const sendOn = (role: NotServedHere["role"], { url }: Others) =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers, url: path }) => {
    if (url !== undefined && headers["upgrade"] === undefined) {
      return HttpServerResponse.empty({ status: 307, headers: { location: url + path } })
    }
    const refusal = ProblemResponse.of(Problems.NotServedHere, new NotServedHere({ role, retryAfter: 1 }))
    return url === undefined
      ? refusal
      : HttpServerResponse.setHeader(refusal, "link", `<${url + path}>; rel="alternate"`)
  })

export const layer = Layer.effect(
  ServedHere,
  Effect.map(Elsewhere, (elsewhere) => (httpEffect, { endpoint }) => {
    const role = endpoint.middlewares.has(CommandBoundary) ? "command" : "query"
    const others = elsewhere[role]
    return others === undefined ? httpEffect : sendOn(role, others)
  })
)
