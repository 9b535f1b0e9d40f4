/**
 * A TCP proxy before PostgreSQL that does on demand what networks do: cuts a connection before a statement gets
 * through, or after it did but before its answer, or goes silent, or is not there at all.
 *
 * A fault hits the next statement on an append connection, or another that is asked for (told by its application name),
 * once.
 */
import { Effect } from "effect"
import { connect, createServer, type Server, type Socket } from "node:net"
import { freePort } from "../servers/FreePort.ts"

export type Fault = "cut before" | "cut after" | "swallow"

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5])

const open = (target: URL) => {
  const sockets = new Set<Socket>()
  let fault: Fault | undefined
  let victim = "ordinal-append"
  let spared = 0
  let hits = 0
  let silent = false

  const pair = (client: Socket) => {
    const server = connect(Number(target.port), target.hostname)
    let application = ""
    let ready = false
    let answer: Fault | undefined
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on("error", end)
      socket.on("close", () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on("data", (bytes) => {
      if (!ready) application += bytes.toString("latin1")
      if (ready && application.includes(victim) && fault !== undefined && spared-- === 0) {
        answer = fault
        fault = undefined
        hits++
        if (answer === "cut before") return end()
      }
      if (!silent) server.write(bytes)
    })
    server.on("data", (bytes) => {
      ready ||= bytes.includes(readyForQuery)
      if (answer === "cut after") return end()
      if (answer === undefined && !silent) client.write(bytes)
    })
  }

  let listening: Server | undefined
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer(pair)
      listening = server
      server.once("error", reject)
      server.listen(port, "127.0.0.1", () => resolve(port))
    })
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = () =>
    new Promise<void>((resolve) => {
      hangUp()
      if (listening === undefined) return resolve()
      listening.close(() => resolve())
      listening = undefined
    })
  return {
    listen,
    close,
    hangUp: Effect.sync(hangUp),
    /** `after`: so many statements get through first. */
    inject: (next: Fault, application = "ordinal-append", after = 0) =>
      Effect.sync(() => {
        fault = next
        spared = after
        victim = application
      }),
    hits: () => hits,
    silence: Effect.sync(() => {
      silent = true
    })
  }
}

/** On a port that nobody else took since it was found to be free. */
const listenSomewhere = async (listen: (port: number) => Promise<number>): Promise<number> => {
  for (;;) {
    try {
      return await listen(await freePort())
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error
    }
  }
}

/** Resolves when a connection was refused, and so everybody else has been told that theirs was closed before. */
const refused = (port: number) =>
  new Promise<void>((resolve) => {
    const probe = connect(port, "127.0.0.1")
    probe.once("error", () => setImmediate(() => setImmediate(resolve)))
    probe.once("connect", () => {
      probe.destroy()
      setImmediate(() => resolve(refused(port)))
    })
  })

/** Makes a proxy to the database at `url`; ends with the scope. */
export const make = (url: string) =>
  Effect.gen(function* () {
    const target = new URL(url)
    const proxy = open(target)
    const port = yield* Effect.acquireRelease(
      Effect.promise(() => listenSomewhere(proxy.listen)),
      () => Effect.promise(proxy.close)
    )
    const through = new URL(url)
    through.port = String(port)
    return {
      url: through.href,
      inject: proxy.inject,
      hits: proxy.hits,
      hangUp: proxy.hangUp,
      silence: proxy.silence,
      /** Connections are refused, and the loss of those that were there has been noticed. */
      goAway: Effect.promise(async () => {
        await proxy.close()
        await refused(port)
      }),
      comeBack: Effect.asVoid(Effect.promise(() => proxy.listen(port)))
    }
  })
