/** Knows which requests of a server are being answered: their responses, from their beginning until their connection has taken them. */
import type { Server, ServerResponse } from "node:http"

const known = new WeakMap<Server, ReadonlySet<ServerResponse>>()

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
  server.prependListener("request", (_, response) => {
    open.add(response)
    response.on("close", onClose)
  })
  return open
}
