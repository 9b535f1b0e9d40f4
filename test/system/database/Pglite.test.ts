import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { inject } from "vitest"
import { now } from "../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../src/database/Database.ts"
import * as DirectoryLock from "../../../src/database/pglite/DirectoryLock.ts"
import { append, entry, newStream, readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-test-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

const ended = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit")

const kill = (child: ChildProcess) =>
  Effect.promise(async () => {
    child.kill("SIGKILL")
    await ended(child)
  })

/** Starts a process that opens the directory. */
const opener = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["harness/servers/OpenPglite.ts", `pglite:${directory}`], {
        stdio: ["ignore", "pipe", "ignore"]
      })
    ),
    kill
  )

/** Returns the first line that the process prints, without its log lines. */
const firstLine = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.stdout === null) return "no output"
    for await (const line of createInterface({ input: child.stdout })) if (!line.startsWith("[")) return line
    return "ended"
  })

const appears = (directory: string, ...patterns: ReadonlyArray<RegExp>) =>
  Effect.promise(() => readdir(directory)).pipe(
    Effect.delay("10 millis"),
    Effect.repeat({ until: (names) => names.some((name) => patterns.some((pattern) => pattern.test(name))) })
  )

/** Returns for how many milliseconds this process has been held up so far. */
const heldUpMillis = () => performance.now() - now()

const inUse = (directory: string) =>
  Effect.map(Effect.exit(Effect.scoped(DirectoryLock.acquire(directory))), Exit.isFailure)

describe("PGlite in a directory", () => {
  it.live("is refused to a second process, and free again when the first is killed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.promise(() => cp(inject("pgliteDirectory"), directory, { recursive: true }))
      const first = yield* opener(directory)
      yield* appears(directory, /^lock-/)
      const second = yield* opener(directory)
      assert.match(yield* firstLine(second), /^Taken: .* is in use by another running process/)
      assert.isTrue(yield* inUse(directory))
      yield* kill(first)
      assert.isFalse(yield* inUse(directory))
    })
  )

  const damages: ReadonlyArray<
    readonly [what: string, damage: (at: (name: string) => string) => Promise<void>, says: RegExp]
  > = [
    ["no PG_VERSION", (at) => rm(at("data/PG_VERSION")), /is damaged: .*\/data holds no file PG_VERSION\. Restore/],
    [
      "an empty data",
      async (at) => {
        await rm(at("data"), { recursive: true })
        await mkdir(at("data"))
      },
      /is damaged: .*\/data holds no file PG_VERSION/
    ],
    [
      "a data that was moved away",
      (at) => rename(at("data"), at("data.old")),
      /holds no database but is not empty \(data\.old\)/
    ],
    [
      "a link that leads nowhere",
      async (at) => {
        await rename(at("data"), at("../moved"))
        await symlink(at("nowhere"), at("data"))
      },
      /not empty \(data\)/
    ],
    [
      "somebody else's files",
      async (at) => {
        await rm(at("data"), { recursive: true })
        await writeFile(at("notes.txt"), "mine")
      },
      /not empty \(notes\.txt\)/
    ]
  ]
  it.live("never makes a new database over a directory that may have been one", () =>
    Effect.gen(function* () {
      const intact = yield* temporaryDirectory
      yield* append(entry(newStream(), 0)).pipe(Effect.provide(logLayer(`pglite:${intact}`)))
      for (const [what, damage, says] of damages) {
        const directory = join(yield* temporaryDirectory, "database")
        const names = Effect.promise(() => readdir(directory, { recursive: true }))
        // It is never opened, so the tables themselves may be left out.
        const filter = (path: string) => !path.includes("/data/base/")
        yield* Effect.promise(() => cp(intact, directory, { recursive: true, filter }))
        yield* Effect.promise(() => damage((name) => join(directory, name)))
        const before = yield* names
        const refused = yield* Effect.flip(readFrom(0n).pipe(Effect.provide(logLayer(`pglite:${directory}`))))
        assert.match(refused.message, says, what)
        assert.deepStrictEqual(yield* names, before, what)
      }
    })
  )

  it.live("is refused in production unless forced", () =>
    Effect.gen(function* () {
      const before = process.env.NODE_ENV
      process.env.NODE_ENV = "production"
      const refused = yield* Effect.flip(Layer.build(Database.layer({ url: Redacted.make("pglite:memory") }))).pipe(
        Effect.ensuring(Effect.sync(() => (process.env.NODE_ENV = before)))
      )
      assert.strictEqual(refused.reason, "Production")
    })
  )

  it.live("opens its session anew after the protocol broke", () =>
    Effect.gen(function* () {
      const { reads: sql } = yield* Database
      const hung = yield* Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* sql.reserve
          yield* connection.executeRaw("BEGIN", [])
          yield* connection.executeRaw("CREATE TABLE half_done (it int)", [])
          // More than the client takes in one message: it gives the connection up.
          return yield* Effect.exit(connection.executeRaw("SELECT repeat('x', 17 * 1024 * 1024)", []))
        })
      )
      assert.isTrue(Exit.isFailure(hung))
      assert.deepStrictEqual(yield* sql`SELECT to_regclass('half_done')::text AS "table"`, [{ table: null }])
    }).pipe(Effect.provide(Database.layer({ url: Redacted.make("pglite:memory") })))
  )
})

describe("DirectoryLock", () => {
  it.live("gives the directory to exactly one of many that start at once, also when dead processes left locks", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      for (let round = 0, undisturbed = 0; undisturbed < 10; round++) {
        assert.isBelow(round, 200, "too few rounds in which this process was not held up")
        const before = heldUpMillis()
        const taken = yield* Effect.scoped(
          Effect.gen(function* () {
            const exits = yield* Effect.forEach(
              Array.from({ length: 8 }),
              () => Effect.exit(DirectoryLock.acquire(directory)),
              { concurrency: "unbounded" }
            )
            return exits.filter(Exit.isSuccess).length
          })
        )
        assert.isAtMost(taken, 1)
        // While this process is held up, none may get the directory: each takes the others, which don't answer, for
        // owners.
        if (heldUpMillis() - before >= 50) continue
        assert.strictEqual(taken, 1)
        undisturbed += 1
      }
    })
  )

  it.live("works in a directory whose path is too long for a socket", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "long".repeat(30))
      yield* Effect.promise(() => mkdir(directory))
      yield* DirectoryLock.acquire(directory)
      assert.isTrue(yield* inUse(directory))
    })
  )
})

it.live("an unknown DATABASE_URL is refused with a sentence that says what it must be", () =>
  Effect.gen(function* () {
    const refused = yield* Effect.flip(Layer.build(Database.layer({ url: Redacted.make("mysql://localhost") })))
    assert.strictEqual(refused.message, "DATABASE_URL must be postgres://…, pglite:<directory> or pglite:memory.")
  })
)
