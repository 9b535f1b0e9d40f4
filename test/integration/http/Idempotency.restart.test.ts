import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

const serve = (layer: typeof OrdersLayers.layerMemory | ReturnType<typeof OrdersLayers.layerPostgres>) =>
  Effect.acquireRelease(
    Effect.promise(() => start({ orders: layer })),
    (server) => Effect.promise(server.stop)
  )

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ordinal-keys-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const databases = [
  ["PostgreSQL", Effect.map(freshDatabase, OrdersLayers.layerPostgres)],
  ["PGlite", Effect.map(directory, OrdersLayers.layerPglite)]
] as const

const send = (server: TestServer) => async (method: string, path: string, key: string, body?: unknown) => {
  const answer = await server.send(method, path, body, { "idempotency-key": key })
  return { ...answer, replayed: answer.headers.get("idempotent-replayed") }
}

describe.each(databases)("Idempotency-Key on %s", (_, database) => {
  it.live("is known after a restart, for everything that had been accepted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const layer = yield* database
        const asked = [
          ["POST", "/orders", placement()],
          ["PUT", "/products/mug", { ...mug, unitPrice: 1 }],
          ["DELETE", "/products/mug", undefined],
          ["PUT", "/customers/ada", ada]
        ] as const

        const askAll = (server: TestServer) =>
          Effect.forEach(asked, ([method, path, body], index) =>
            Effect.promise(() => send(server)(method, path, `key-${index}`, body))
          )

        const before = yield* Effect.scoped(
          Effect.flatMap(serve(layer), (server) =>
            Effect.andThen(
              Effect.promise(() => withCatalog(server)),
              askAll(server)
            )
          )
        )
        const after = yield* Effect.scoped(
          Effect.gen(function* () {
            const server = yield* serve(layer)
            const answers = yield* askAll(server)
            const other = yield* Effect.promise(() =>
              send(server)("POST", "/orders", "key-0", placement({ confirm: false }))
            )
            assert.deepStrictEqual([other.status, other.body.type], [422, "/problems/idempotency-key-reused"])
            const token = answers[0]!.headers.get("consistency-token")!
            const { body } = yield* Effect.promise(() => server.get("/orders", { "consistency-token": token }))
            assert.strictEqual(body.data.length, 1)
            return answers
          })
        )
        for (const [index, first] of before.entries()) {
          const again = after[index]
          assert.deepStrictEqual([first.status, first.replayed], [202, null], first.text)
          assert.deepStrictEqual([again?.status, again?.text, again?.replayed], [202, first.text, "true"])
          assert.strictEqual(again?.headers.get("consistency-token"), first.headers.get("consistency-token"))
        }
        assert.deepStrictEqual(before.at(-1)?.body.events, [])
      })
    )
  )
})
