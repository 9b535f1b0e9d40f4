/** A subscription from afar outlives the server that it is connected to. */
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Fiber, Stream } from "effect"
import { assert, it } from "vitest"
import { untilSo } from "../../harness/clocks/Until.ts"
import { freePort } from "../../harness/servers/FreePort.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, inParallel } from "../../harness/clients/HttpClient.ts"
import { sessionsEnded, storedEvents } from "../../harness/servers/Sql.ts"
import * as EventStreamClient from "../../src/http/client/EventStreamClient.ts"
import { positionOf, type Push } from "../../src/orders/Subscription.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

const subscribe = (url: string) =>
  Effect.flatMap(EventStreamClient.make({ url, backoff: "200 millis" }), (subscribe) => subscribe({ after: 0n }))

/** Some are lost with the server; nobody minds here. */
const place = (url: string, count: number) =>
  inParallel(Array.from({ length: count }).keys(), 4, async () => {
    await call(url, "POST", "/orders", { body: placement() }).catch(() => {})
  })

it("goes on where it was after kill -9 and a new start: no gap, nothing twice", async () => {
  const database = await freshDatabase()
  const log = sql(database)
  const settings = { DATABASE_URL: database, PORT: String(await freePort()) }
  let { kill, url } = await server(settings)
  await fillCatalog(url)

  const got: Array<Push> = []
  const reading = Effect.runFork(
    Effect.flatMap(subscribe(url), (pushes) =>
      Stream.runForEach(pushes, (push) => Effect.sync(() => void got.push(push)))
    ).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )
  for (let round = 0; round < 2; round++) {
    const placing = place(url, 60)
    const had = got.length
    await untilSo(() => got.length >= had + 20)
    await kill()
    await placing
    await sessionsEnded(log)
    ;({ kill, url } = await server(settings))
  }
  await place(url, 1)
  const stored = (await storedEvents(log)).filter(({ stream }) => stream.startsWith("order-"))
  const last = BigInt(stored.at(-1)!.position)
  await untilSo(() => got.some((push) => positionOf(push) >= last))
  assert.strictEqual(reading.pollUnsafe(), undefined)
  await Effect.runPromise(Fiber.interrupt(reading))

  assert.deepStrictEqual(
    got.flatMap((push) => (push._tag === "Event" ? [Number(push.event.position)] : [])),
    stored.map(({ position }) => position)
  )
})
