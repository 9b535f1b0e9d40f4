/**
 * Lets one process own a directory. The owner listens on a Unix socket in the directory; the operating system sees to
 * it that a dead process does not answer. No lock is judged by its age or a process id, or taken from a live process.
 *
 * Each claimant listens on its socket before it looks for others, and owns the directory once a look finds nobody else
 * alive. Of two that start at once, the later look sees the other, so at most one owns the directory; of claimants that
 * see each other, the one with the lower name goes on. Only an owner removes what the dead left.
 */
import { Effect, Exit, Scope } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtemp, readdir, rm, symlink } from "node:fs/promises"
import { connect, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { causeText } from "../CauseText.ts"
import { DatabaseNotOpened } from "../DatabaseErrors.ts"

/** Every lock's name in the directory begins so. */
export const prefix = "lock-"
/** Operating systems allow 107 bytes for the path of a socket (103 on macOS). */
const maxPathBytes = 100
/** A few rounds decide between processes that start at once. */
const rounds = 40

type Standing = "owner" | "claimant" | "dead"

const unusable = (directory: string) => (cause: unknown) =>
  new DatabaseNotOpened({
    reason: "Unusable",
    problem: `The directory ${directory} can't be locked: ${causeText(cause)}.`,
    cause
  })

const remove = (path: string) => Effect.promise(() => rm(path, { recursive: true, force: true }))

/** Returns a path to the directory that is short enough for sockets: its own, or that of a temporary link to it. */
const shortPath = Effect.fnUntraced(function* (directory: string) {
  if (Buffer.byteLength(directory) + prefix.length + 20 <= maxPathBytes) return directory
  const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: unusable(directory) })
  const folder = yield* Effect.acquireRelease(
    attempt(() => mkdtemp(join(tmpdir(), "ordinal-"))),
    remove
  )
  const link = join(folder, "d")
  yield* attempt(() => symlink(directory, link))
  return link
})

/** Asks the process behind a socket for its standing. A live process that does not answer counts as the owner. */
const ask = (path: string): Effect.Effect<Standing> =>
  Effect.callback((resume) => {
    const socket = connect(path)
    const answer = (standing: Standing) => {
      socket.destroy()
      resume(Effect.succeed(standing))
    }
    socket.setTimeout(500, () => answer("owner"))
    socket.once("data", (bytes) => answer(bytes.toString() === "claimant" ? "claimant" : "owner"))
    socket.once("error", (error) => {
      const code = "code" in error ? error.code : undefined
      answer(code === "ECONNREFUSED" || code === "ENOENT" ? "dead" : "owner")
    })
    socket.once("close", () => answer("owner"))
    return Effect.sync(() => socket.destroy())
  })

/** Tells everybody who asks at `path` the standing of this process, until the scope closes. */
const answerAt = (path: string, standing: () => Standing) =>
  Effect.acquireRelease(
    Effect.callback<Server, unknown>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => socket.destroy())
        socket.end(standing())
      })
      server.once("error", (cause) => resume(Effect.fail(cause)))
      server.listen(path, () => resume(Effect.succeed(server.unref())))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

/** Claims the directory until that is decided, or until this process has to step back for another claimant. */
const claim = Effect.fnUntraced(function* (directory: string) {
  const name = `${prefix}${randomBytes(6).toString("hex")}`
  let standing: Standing = "claimant"
  yield* answerAt(join(directory, name), () => standing)
  for (let look = 0; look < rounds; look++) {
    const names = yield* Effect.tryPromise(() => readdir(directory))
    const others = names.filter((other) => other.startsWith(prefix) && other !== name)
    const standings = yield* Effect.forEach(others, (other) => ask(join(directory, other)), { concurrency: 10 })
    if (standings.includes("owner")) return "taken"
    if (!standings.includes("claimant")) {
      standing = "owner"
      yield* Effect.forEach(others, (other) => remove(join(directory, other)), { discard: true })
      return "owned"
    }
    if (others.some((other, index) => standings[index] === "claimant" && other < name)) return "stepped back"
    yield* Effect.sleep(10)
  }
  return "taken"
})

/** Locks the directory, which must exist, until the scope closes; fails with `Taken` if another process owns it. */
export const acquire = Effect.fnUntraced(function* (directory: string) {
  const path = yield* shortPath(directory)
  const outer = yield* Effect.scope
  for (let round = 0; round < rounds; round++) {
    const scope = yield* Scope.fork(outer)
    const result = yield* claim(path).pipe(Scope.provide(scope), Effect.mapError(unusable(directory)))
    if (result === "owned") return
    yield* Scope.close(scope, Exit.void)
    if (result === "taken") break
    yield* Effect.sleep(50)
  }
  return yield* new DatabaseNotOpened({
    reason: "Taken",
    problem: `The directory ${directory} is in use by another running process; stop that one, or use another directory.`
  })
})
