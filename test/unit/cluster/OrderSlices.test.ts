import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { commandCases, orderId } from "../../../harness/http/ErrorCases.ts"
import { commandTable } from "../../../harness/http/CommandTable.ts"
import { isUnavailable } from "../../../src/aggregate/CommandErrors.ts"
import { answer, commands, read, sliceOf } from "../../../src/cluster/OrderSlices.ts"
import type { Orders } from "../../../src/orders/Orders.ts"
import type { Receipt } from "../../../src/orders/Receipt.ts"

const confirming = (outcome: Effect.Effect<Receipt, Error>) =>
  Effect.map(
    answer(
      { confirm: () => outcome } as unknown as Orders["Service"],
      "owner",
      JSON.stringify({ name: "confirm", given: [orderId], options: { idempotencyKey: "k" } })
    ),
    (text) => read(text).outcome
  )

const receipt: Receipt = {
  orderId,
  status: "confirmed",
  paymentStatus: "unpaid",
  version: 2,
  position: 9_007_199_254_740_993n,
  commandId: "01890000-0000-7000-8000-000000000001",
  events: ["order.confirmed.v1"],
  token: "17.0123456789ab",
  replayed: false
}

describe("what nodes of a cluster send each other", () => {
  it.effect("brings a receipt back as it was", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* confirming(Effect.succeed(receipt)), Exit.succeed(receipt))
    })
  )

  it.effect.each(commandCases)("brings an error back as it was, unless it says that the owner can't: %s", ([error]) =>
    Effect.gen(function* () {
      const outcome = yield* confirming(Effect.fail(error))
      if (isUnavailable(error)) return assert.isUndefined(outcome)
      assert.isDefined(outcome)
      const brought = yield* Effect.flip(outcome)
      assert.instanceOf(brought, error.constructor as new () => Error)
      assert.deepStrictEqual({ ...(brought as Error), stack: "" }, { ...error, stack: "" })
    })
  )

  it.effect("leaves a defect of the owner to the process that asked", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* confirming(Effect.die(new Error("broken"))))
    })
  )

  it("has every command on an order that is there", () => {
    const onOrders = commandTable.filter(({ route }) => route.includes("/orders/{id}"))
    assert.sameMembers(
      Object.keys(commands),
      onOrders.map(({ method }) => method)
    )
    for (const { body, method, route } of onOrders) {
      const ids = route.split("{").length - 1
      const given = commands[method as keyof typeof commands]
      assert.include([ids, ids + 1], given, method)
      if (body !== undefined) assert.strictEqual(given, ids + 1, method)
    }
  })

  it("has an order in the same slice for ever", () => {
    assert.strictEqual(sliceOf("ord_01890000-0000-7000-8000-000000000000"), "1022")
    assert.strictEqual(sliceOf("ord_01890000-0000-7000-8000-000000000001"), "401")
    const counts = new Set(Array.from({ length: 20_000 }, (_, number) => sliceOf(`ord_${number}`)))
    assert.strictEqual(counts.size, 1_024)
  })
})
