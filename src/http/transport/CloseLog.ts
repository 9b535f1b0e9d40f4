/** Says in the log how a port closes: when it takes no new connections, what is still answered then, and when all is answered. */
import type { Server } from "node:http"
import { Duration, Effect } from "effect"
import type { OpenStreams } from "../push/OpenStreams.ts"
import * as OpenResponses from "./OpenResponses.ts"

/** Makes the function that adds it to a server; requests get so much time. */
export const make = Effect.fnUntraced(function* (shutdown: Duration.Duration, streams: OpenStreams["Service"]) {
  const context = yield* Effect.context<never>()
  const say = (line: Effect.Effect<void>) => Effect.runSyncWith(context)(line)
  return (server: Server): Server => {
    const open = OpenResponses.of(server)
    const close = server.close.bind(server)
    server.close = (callback) => {
      const pushing = streams.count("sse") + streams.count("websocket")
      const requests = open.size - streams.count("sse")
      say(Effect.logInfo(`No new connections are taken. Requests that are being answered: ${requests}.`))
      say(Effect.logInfo(`Event streams that end now, each with the position to go on from: ${pushing}.`))
      let isOverdue = false
      const overdue = setTimeout(() => {
        isOverdue = open.size > 0
        if (isOverdue) say(Effect.logWarning(`SHUTDOWN is over. Requests that were not answered: ${open.size}.`))
      }, Duration.toMillis(shutdown)).unref()
      return close((error) => {
        clearTimeout(overdue)
        if (isOverdue) say(Effect.logInfo("All connections are closed."))
        else say(Effect.logInfo("All requests are answered, and all connections closed."))
        callback?.(error)
      })
    }
    return server
  }
})
