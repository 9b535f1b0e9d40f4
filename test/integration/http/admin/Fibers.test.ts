/** Every long-lived fiber of a running server is on the supervisor's list; killed, each starts again and works. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Supervisor } from "../../../../src/supervision/Supervisor.ts"
import { until } from "../../../../harness/clocks/Until.ts"
import { metric, place, type Shop, start } from "../../../../harness/servers/AdminServer.ts"

interface Listed {
  readonly name: string
  readonly state: string
  readonly restarts: number
  readonly lastError?: string
}

const names = [
  "actor-follower",
  "actor-sweeper",
  "append-deadlines",
  "append-lane 1",
  "append-lane 2",
  "append-listener",
  "append-notifier",
  "catalog-follower",
  "checkpoint-watcher",
  "command-retention",
  "log-tail",
  "projection catalog-view",
  "projection order-view",
  "push-gate",
  "rebuild of catalog-view",
  "rebuild of order-view",
  "webhooks"
]

// A fiber counts as running again once it has run for a second, so some are killed beside each other.
describe.concurrent("the fibers of a running server", () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await start()
  })
  afterAll(() => shop.stop())

  const fibers = async (): Promise<ReadonlyArray<Listed>> => (await shop.operators.get("/admin/fibers")).body.data
  const listed = async (name: string) => (await fibers()).find((fiber) => fiber.name === name)!

  it("are all on the list", async () => {
    assert.deepStrictEqual(
      (await fibers()).map(({ name }) => name),
      names
    )
  })

  it.each(names)(
    "%s starts again when it is killed, is counted, and orders are placed and seen as before",
    async (name) => {
      const before = await listed(name)
      await shop.run(
        Effect.gen(function* () {
          const supervisor = yield* Supervisor.reference
          for (const fiber of supervisor.running(name)) yield* Fiber.interrupt(fiber)
        })
      )
      const after = await until(
        () => listed(name),
        ({ restarts }) => restarts > before.restarts
      )
      assert.strictEqual(after.lastError, "it was interrupted")
      await place(shop, "wait")
      await until(
        () => listed(name),
        ({ state }) => state === "running"
      )
      assert.isAtLeast((await metric(shop, `orders_fiber_restarts_total{name="${name}"}`)) ?? 0, 1)
    }
  )
})
