import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { AccountId, layer, LimitExceeded, Limits, purchase, Purchases } from "../../../examples/CreditLimit.ts"

const ada = AccountId.make("ada")

const on = <A, E>(kernel: Layer.Layer<A, E>) => Layer.build(Layer.fresh(layer.pipe(Layer.provideMerge(kernel))))
const processOn = (url: string) => on(EventSourcing.layerPostgres(url, patientConnections))

const kernels = {
  "in memory": Effect.map(on(EventSourcing.layerMemory), (one) => [one]),
  "on PGlite": Effect.map(on(EventSourcing.layerPglite("memory")), (one) => [one]),
  "of two processes on one PostgreSQL": Effect.flatMap(freshDatabase, (url) =>
    Effect.all([processOn(url), processOn(url)])
  )
}

/** The log's events of the account, in the order of their commits. */
const history = Effect.fnUntraced(function* (account: AccountId) {
  const log = yield* EventStore
  const streams = [Limits.guard(account, 0).streamId, Purchases.guard(account, 0).streamId]
  const pages = yield* Effect.forEach(streams, (stream) => log.readStream(stream, { after: 0, limit: 500 }))
  return pages.flatMap(({ events }) => events).toSorted((left, right) => Number(left.position - right.position))
})

for (const [where, processes] of Object.entries(kernels)) {
  describe(`an invariant over several streams ${where}`, () => {
    it.live("holds at every commit, while the limit changes under the purchases", () =>
      Effect.gen(function* () {
        const contexts = yield* processes
        const at = (index: number) => Effect.provideContext(contexts[index % contexts.length]!)
        const setLimit = (cents: number) =>
          Effect.flatMap(Limits, (limits) => limits.send(ada, { _tag: "SetLimit", cents }))
        yield* at(0)(setLimit(30))
        const refused = yield* at(0)(Effect.flip(purchase(ada, 31)))
        assert.deepStrictEqual(refused, new LimitExceeded({ available: 30 }))

        const buy = (index: number) =>
          purchase(ada, 1).pipe(
            Effect.catchTag("LimitExceeded", () => Effect.void),
            at(index)
          )
        const writers = Array.from({ length: 64 }, (_, index) =>
          index % 8 === 0 ? Effect.asVoid(at(index / 8)(setLimit(index))) : Effect.asVoid(buy(index))
        )
        yield* Effect.all(writers, { concurrency: "unbounded" })
        yield* at(0)(setLimit(10_000))
        yield* at(1)(purchase(ada, 1_000))

        let [limit, spent, purchases] = [0, 0, 0]
        for (const { data, streamId, position } of yield* at(0)(history(ada))) {
          const { cents } = data as { readonly cents: number }
          if (streamId === "limit-ada") {
            limit = cents
          } else {
            spent += cents
            purchases += 1
            assert.isAtMost(spent, limit, `at position ${position}`)
          }
        }
        assert.isAbove(purchases, 1)
      })
    )
  })
}
