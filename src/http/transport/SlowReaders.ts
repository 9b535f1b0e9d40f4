/**
 * Hangs up on callers who do not take their answers: a whole answer has to be with the operating system within a time, which
 * counts from its end. Event streams, which have no end, have a limit of their own (`PushLimits.stall`).
 */
import type { Server, ServerResponse } from "node:http"
import { Duration } from "effect"
import * as OpenResponses from "./OpenResponses.ts"

/** A caller is hung up on when so many looks in a row have found an answer that was complete and not taken. */
const looks = 4

export const hangUpOnSlowReaders = (server: Server, limit: Duration.Duration): Server => {
  const open = OpenResponses.of(server)
  /** Says how many looks have found each of these answers. */
  let waiting: ReadonlyMap<ServerResponse, number> = new Map()
  const look = () => {
    OpenResponses.sweep(server)
    const found = new Map<ServerResponse, number>()
    for (const response of open) {
      if (!response.writableEnded || response.writableFinished) continue
      const times = (waiting.get(response) ?? 0) + 1
      if (times > looks) response.socket?.destroy()
      else found.set(response, times)
    }
    waiting = found
  }
  let looking: ReturnType<typeof setInterval> | undefined
  server.on("listening", () => {
    looking = setInterval(look, Duration.toMillis(limit) / looks).unref()
  })
  return server.on("close", () => clearInterval(looking))
}
