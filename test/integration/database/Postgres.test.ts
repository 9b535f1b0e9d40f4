import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { now } from "../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../src/database/Database.ts"

/** Starts a server that accepts connections and never answers, and returns its port. */
const mute = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = createServer((socket) => socket.on("error", () => {}))
    await once(server.listen(0, "127.0.0.1"), "listening")
    return server
  }),
  (server) => Effect.sync(() => server.close())
).pipe(Effect.map((server) => (server.address() as AddressInfo).port))

it.live("a connection that is not made within `connectTimeout` is given up", () =>
  Effect.gen(function* () {
    const url = Redacted.make(`postgres://ordinal@127.0.0.1:${yield* mute}/ordinal`)
    const start = now()
    yield* Effect.gen(function* () {
      const { reads: sql } = yield* Database
      yield* Effect.flip(sql`SELECT 1`)
    }).pipe(Effect.provide(Database.layer({ url, connectTimeout: "50 millis" })))
    assert.isBelow(now() - start, 1_500)
  })
)
