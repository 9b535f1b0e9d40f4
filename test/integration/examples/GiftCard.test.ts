import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { CardId, GiftCards, NotEnough, pay } from "../../../examples/gift-card/src/GiftCard.ts"
import { server } from "../../../examples/gift-card/src/GiftCardApi.ts"
import { call } from "../../../harness/clients/HttpClient.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { portOf } from "../../../harness/servers/ApiServer.ts"
import { hostLayer } from "../../../harness/servers/HostPool.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import * as AggregateClient from "../../../src/http/client/AggregateClient.ts"
import { append, entry, equal, uuid } from "../../../src/testing/EventStoreEntries.ts"

const kernels = {
  "in memory": Effect.succeed(EventSourcing.layerMemory),
  "on PGlite": Effect.succeed(EventSourcing.layerPglite("memory")),
  "on PostgreSQL": Effect.map(freshDatabase, (url) => EventSourcing.layerPostgres(url, patientConnections)),
  "on the client of the host": Effect.map(freshDatabase, (url) =>
    Layer.provide(EventSourcing.layerSql(patientConnections), hostLayer(url))
  )
}

const url = Effect.map(HttpServer.HttpServer, (server) => `http://127.0.0.1:${portOf(server)}`)

/** A till: the same program for cards of this process and of a server. */
const till = Effect.gen(function* () {
  const cards = yield* GiftCards
  const id = CardId.make("till")
  yield* cards.send(id, { _tag: "Issue", cents: 5_000 }, { idempotencyKey: "issued" })
  const twins = Effect.all(
    Array.from({ length: 20 }, () => pay("till", 1_500, "first")),
    { concurrency: "unbounded" }
  )
  for (const paid of yield* twins) equal(paid, 3_500)
  equal(yield* pay("till", 1_500, "second"), 2_000)
  equal(yield* pay("till", 1_500, "first"), 3_500)
  assert.strictEqual((yield* Effect.flip(pay("till", 1_600, "first")))._tag, "CommandIdReused")
  equal(yield* Effect.flip(pay("till", 2_001, "third")), new NotEnough({ balance: 2_000 }))
  equal(yield* pay("till", 2_000, "third"), 0)
  return yield* cards.get(id)
})

for (const [where, kernel] of Object.entries(kernels)) {
  describe(`an aggregate of one's own ${where}`, () => {
    it.live("is served over HTTP, each redemption at most once, and is the same service here and elsewhere", () =>
      Effect.gen(function* () {
        const cards = Layer.provideMerge(Layer.merge(server(0), GiftCards.layer), yield* kernel)
        const context = yield* Layer.build(Layer.fresh(cards))
        const baseUrl = yield* Effect.provideContext(url, context)
        const send = (command: string, body: object, key = "none") =>
          Effect.promise(async () => {
            const headers = { "idempotency-key": key }
            const answer = await call(baseUrl, "POST", `/giftcards/xmas/${command}`, { body, headers })
            return [answer.status, answer.body.state?.balance, answer.body.version] as const
          })
        equal(yield* send("issue", { cents: 5_000 }), [200, 5_000, 1])
        const redeem = { cents: 1_500, till: "7" }
        const twins = Array.from({ length: 20 }, () => send("redeem", redeem, "first"))
        for (const answer of yield* Effect.all(twins, { concurrency: "unbounded" })) equal(answer, [200, 3_500, 2])
        equal(yield* send("redeem", redeem, "second"), [200, 2_000, 3])
        equal(yield* send("redeem", redeem, "first"), [200, 3_500, 2])
        equal((yield* send("redeem", { ...redeem, till: "8" }, "first"))[0], 422)
        equal((yield* send("redeem", { cents: 2_001, till: "7" }, "third"))[0], 409)
        equal((yield* send("redeem", { cents: 0, till: "7" }, "third"))[0], 400)
        equal(yield* send("redeem", { cents: 2_000, till: "7" }, "third"), [200, 0, 4])

        const elsewhere = yield* Effect.provide(till, AggregateClient.layer(GiftCards, { baseUrl }))
        // The keys of the remote till are those of the one here, so nothing happens again.
        const again = yield* Effect.provideContext(Effect.flip(pay("till", 1, "first")), context)
        assert.strictEqual(again._tag, "CommandIdReused")
        const cardsHere = yield* Effect.provideContext(
          Effect.flatMap(GiftCards, ({ get }) => get(CardId.make("till"))),
          context
        )
        equal(cardsHere, elsewhere)
      }).pipe(Effect.scoped)
    )

    it.live("runs the same program without HTTP", () =>
      Effect.gen(function* () {
        const { state } = yield* Effect.provide(till, Layer.fresh(Layer.provide(GiftCards.layer, yield* kernel)))
        equal(state, { issued: true, balance: 0 })
      }).pipe(Effect.scoped)
    )
  })
}

it.effect("reads facts of an earlier shape", () =>
  Effect.gen(function* () {
    const { get, send } = yield* GiftCards
    const old = CardId.make("old")
    const log = yield* EventStore
    const stream = StreamId.make("giftcard", "old")
    const issued = { eventId: uuid(), type: "Issued", schemaVersion: 1, data: { cents: 50_000 } }
    const redeemed = () => ({ eventId: uuid(), type: "Redeemed", schemaVersion: 1, data: { euros: 1 } })
    yield* append(entry(stream, 0, { events: [issued, ...Array.from({ length: 300 }, redeemed)] }))
    assert.strictEqual((yield* get(old)).state.balance, 20_000)
    yield* send(old, { _tag: "Redeem", cents: 1, till: "7" })
    const {
      events: [last]
    } = yield* log.readStream(stream, { after: 301, limit: 1 })
    equal([last?.schemaVersion, last?.data], [2, { cents: 1, till: "7" }])
  }).pipe(Effect.provide(GiftCards.layer.pipe(Layer.provideMerge(EventSourcing.layerMemory))))
)
