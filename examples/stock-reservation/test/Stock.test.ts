/** The laws of the stock and of its reservations, two examples, and a race. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EventSourcing } from "ordinal/kernel"
import { AggregateLaws, given } from "ordinal/testing"
import { remove, Reservations, reserve, Sku, Stock } from "../src/Stock.ts"

AggregateLaws.suite(Stock)
AggregateLaws.suite(Reservations, {
  invariants: {
    "what is reserved is the sum of the reservations": ({ held, reserved }) =>
      reserved === Object.values(held).reduce((sum, quantity) => sum + quantity, 0)
  }
})

const { when } = given(Stock, [{ _tag: "Received", quantity: 10 }])

it("the last free item may be taken away", () =>
  when({ _tag: "Remove", quantity: 3, reserved: 7 }).then([{ _tag: "Removed", quantity: 3 }]))

it("a reserved item may not", () =>
  when({ _tag: "Remove", quantity: 4, reserved: 7 }).thenRejects("StillReserved", { stock: 10, reserved: 7 }))

it.live("of 40 items no more are reserved and taken away, whoever is first", () =>
  Effect.gen(function* () {
    const stock = yield* Stock
    const reservations = yield* Reservations
    const mugs = Sku.make("mugs")
    yield* stock.send(mugs, { _tag: "Receive", quantity: 40 })
    const buyers = Array.from({ length: 64 }, () => Effect.result(reserve(mugs, crypto.randomUUID(), 1)))
    const losses = Array.from({ length: 8 }, () => Effect.result(remove(mugs, 1)))
    yield* Effect.all([...buyers, ...losses], { concurrency: "unbounded" })
    assert.strictEqual((yield* reservations.get(mugs)).state.reserved, (yield* stock.get(mugs)).state)
  }).pipe(Effect.provide(Layer.merge(Stock.layer, Reservations.layer)), Effect.provide(EventSourcing.layerMemory))
)
