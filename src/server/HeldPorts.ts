/**
 * Takes the ports before the database is opened, so that a port in use stops a start that has done nothing yet.
 *
 * Until the server itself listens there, a held port says that the process is alive and not ready. Each port is let go
 * right before its server takes it. A port of 0 can't be in use and is not held.
 */
import { Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { ProblemDetails } from "effect/http"
import { createServer, type RequestListener, type Server } from "node:http"
import type { Server as TlsServer } from "node:https"
import type { Socket } from "node:net"
import { causeText } from "../database/CauseText.ts"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { Problems } from "../http/problems/Problems.ts"
import { Tls } from "../http/transport/Tls.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

export interface Port {
  readonly host: string
  readonly port: number
  /** Names the settings of the host and the port, for the sentence that refuses them. */
  readonly settings: readonly [host: "HOST" | "ADMIN_HOST", port: "PORT" | "ADMIN_PORT"]
  /** Another port is taken later if this one is in use, so that is no reason to end the start. */
  readonly orAnother: boolean
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined)

const hint = (error: unknown, { host, port, settings: [hostName, portName] }: Port): string | undefined => {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return `Port ${port} of ${host} is in use. Stop the program that listens there, or set ${portName} to another port.`
    case "EACCES":
      return `This user may not listen on port ${port}. Set ${portName} to a port above 1023.`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is no address of this machine. Set ${hostName} to one, or to 0.0.0.0 for all.`
    default:
      return undefined
  }
}

/** Says which settings can't be used, why, and what to do. */
export const unusable = (error: unknown, port: Port): UnusableSetting => {
  const [hostName, portName] = port.settings
  const problem = `${hostName} and ${portName} can't be listened on: ${hint(error, port) ?? causeText(error)}`
  return new UnusableSetting({ problem })
}

/** A client takes it as it takes a database that is away: nothing was done, and it may ask again. */
const notYet = {
  ...Schema.encodeSync(Problems.DatabaseUnavailable)(new DatabaseUnavailable({ retryAfter: 1 })),
  detail: "The server is starting and has not opened its database yet; nothing was done; try again in 1 s."
}

const answerStarting: RequestListener = (request, response) => {
  const isAlive = request.url === "/health/live"
  const contentType = isAlive ? "application/json" : ProblemDetails.contentType
  response.writeHead(isAlive ? 200 : notYet.status, {
    "content-type": contentType,
    "retry-after": "1",
    connection: "close"
  })
  response.end(JSON.stringify(isAlive ? { status: "live" } : notYet))
}

const listen = Effect.fnUntraced(function* ({ host, port }: Port) {
  const tls = yield* Tls
  const sockets = new Set<Socket>()
  yield* Effect.acquireRelease(
    Effect.callback<Server | TlsServer, Error>((resume) => {
      const server = tls === undefined ? createServer() : tls.server({})
      server.on("request", answerStarting).on("checkContinue", answerStarting)
      // Node's own closing knows no connection whose handshake of TLS is not over.
      server.on("connection", (socket: Socket) => {
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
      })
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen({ host, port }, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      })
  )
})

/** Listens there for a moment, or fails with a sentence about the settings that don't let it. */
export const tryPort = (port: Port) =>
  Effect.mapError(Effect.asVoid(Effect.scoped(listen(port))), (error) => unusable(error, port))

const hold = Effect.fnUntraced(function* (port: Port) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const held = port.port === 0 ? Effect.void : Scope.provide(listen(port), scope)
  yield* Effect.catch(held, (error) =>
    port.orAnother && codeOf(error) === "EADDRINUSE" ? Effect.void : Effect.fail(unusable(error, port))
  )
  return Scope.close(scope, Exit.void)
})

export class HeldPorts extends Context.Service<
  HeldPorts,
  { /** Lets the port of the API go. */ readonly letGo: Effect.Effect<void>; readonly letGoAdmin: Effect.Effect<void> }
>()("ordinal/server/HeldPorts") {
  static readonly layer = (api: Port, admin: Port) =>
    Layer.effect(
      HeldPorts,
      Effect.gen(function* () {
        return { letGo: yield* hold(api), letGoAdmin: yield* hold(admin) }
      })
    )
}
