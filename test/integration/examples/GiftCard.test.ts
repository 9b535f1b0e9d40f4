import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { createServer } from "node:http"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { append, entry, equal, uuid } from "../../../src/testing/EventStoreEntries.ts"
import { hostLayer } from "../../../harness/servers/HostPool.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import * as GiftCard from "../../../examples/GiftCard.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"

const { id: CardId } = GiftCard.GiftCards.definition

/** The whole program, on a kernel. */
const program = <A, E>(kernel: Layer.Layer<A, E>) =>
  GiftCard.layer.pipe(
    Layer.provideMerge(Layer.fresh(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))),
    Layer.provideMerge(kernel)
  )

const caller = (context: Context.Context<HttpServer.HttpServer>) => {
  const { address } = Context.get(context, HttpServer.HttpServer)
  const port = "port" in address ? address.port : 0
  return (method: string, path: string, body: object, key?: string) =>
    Effect.promise(async () => {
      const headers = { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) }
      const init = { method, headers, body: JSON.stringify(body) }
      const response = await fetch(`http://127.0.0.1:${port}/giftcards/${path}`, init)
      const text = await response.text()
      return [response.status, response.ok ? JSON.parse(text) : undefined] as const
    })
}

const kernels = {
  "in memory": Effect.succeed(EventSourcing.layerMemory),
  "on PGlite": Effect.succeed(EventSourcing.layerPglite("memory")),
  "on PostgreSQL": Effect.map(freshDatabase, (url) => EventSourcing.layerPostgres(url, patientConnections)),
  "on the client of the host": Effect.map(freshDatabase, (url) =>
    Layer.provide(EventSourcing.layerSql(patientConnections), hostLayer(url))
  )
}

for (const [where, kernel] of Object.entries(kernels)) {
  describe(`an aggregate of one's own ${where}`, () => {
    it.live("is served over its own API, each redemption at most once", () =>
      Effect.gen(function* () {
        const context = yield* Layer.build(program(yield* kernel))
        const call = caller(context)
        equal(yield* call("PUT", "xmas", { cents: 5_000 }), [200, { balance: 5_000, version: 1 }])
        equal(yield* call("PUT", "xmas", { cents: 5_000 }), [200, { balance: 5_000, version: 1 }])
        const redeem = { cents: 1_500, till: "7" }
        const twins = Array.from({ length: 20 }, () => call("POST", "xmas/redemptions", redeem, "first"))
        for (const answer of yield* Effect.all(twins, { concurrency: "unbounded" })) {
          equal(answer, [200, { balance: 3_500, version: 2 }])
        }
        equal(yield* call("POST", "xmas/redemptions", redeem, "second"), [200, { balance: 2_000, version: 3 }])
        equal(yield* call("POST", "xmas/redemptions", redeem, "first"), [200, { balance: 3_500, version: 2 }])
        assert.strictEqual((yield* call("POST", "xmas/redemptions", { ...redeem, till: "8" }, "first"))[0], 422)
        assert.strictEqual((yield* call("POST", "xmas/redemptions", { cents: 2_001, till: "7" }, "third"))[0], 409)
        assert.strictEqual((yield* call("POST", "xmas/redemptions", { cents: 0, till: "7" }, "third"))[0], 400)
        equal(yield* call("POST", "xmas/redemptions", { cents: 2_000, till: "7" }, "third"), [
          200,
          { balance: 0, version: 4 }
        ])
      })
    )
  })
}

it.effect("reads facts of an earlier shape", () =>
  Effect.gen(function* () {
    const { get, send } = yield* GiftCard.GiftCards
    const old = CardId.make("old")
    const log = yield* EventStore
    const stream = StreamId.make("giftcard", "old")
    const issued = { eventId: uuid(), type: "Issued", schemaVersion: 1, data: { cents: 50_000 } }
    const redeemed = () => ({ eventId: uuid(), type: "Redeemed", schemaVersion: 1, data: { euros: 1 } })
    yield* append(entry(stream, 0, { events: [issued, ...Array.from({ length: 300 }, redeemed)] }))
    assert.strictEqual((yield* get(old)).state.balance, 20_000)
    yield* send(old, { _tag: "Redeem", cents: 1, till: "7" })
    const { events } = yield* log.readStream(stream, { after: 301, limit: 1 })
    const [last] = events
    equal([last?.schemaVersion, last?.data], [2, { cents: 1, till: "7" }])
  }).pipe(Effect.provide(GiftCard.GiftCards.layer.pipe(Layer.provideMerge(EventSourcing.layerMemory))))
)
