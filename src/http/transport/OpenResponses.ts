/** Knows which requests of a server are being answered: their responses, from their beginning until their connection has taken them. */
import type { Server, ServerResponse } from "node:http"
import { seeEach } from "./RequestEvents.ts"

const known = new WeakMap<Server, Set<ServerResponse>>()

/** Whoever asks for the same server gets the same set; the first one has to ask before the server listens. */
export const of = (server: Server): ReadonlySet<ServerResponse> => {
  const found = known.get(server)
  if (found !== undefined) return found
  const open = new Set<ServerResponse>()
  known.set(server, open)
  // One function for all responses, which finds its own in `this`: a closure for each would cost a microsecond.
  function onClose(this: ServerResponse) {
    open.delete(this)
  }
  seeEach(server, (_, response) => {
    open.add(response)
    response.on("close", onClose)
  })
  return open
}

/**
 * Forgets responses whose connection is gone. Node closes a response that waits behind another one of its connection only
 * as long as that connection was not given up for an upgrade.
 */
export const sweep = (server: Server): void => {
  const open = known.get(server)
  open?.forEach((response) => {
    if (response.req.socket.destroyed) open.delete(response)
  })
}
