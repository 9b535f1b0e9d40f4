import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import { fill, Jars } from "../../../harness/aggregates/Jars.ts"
import { longestWait, patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { Database } from "../../../src/database/Database.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import * as ProjectionTable from "../../../src/projection/ProjectionTable.ts"
import { Retry } from "../../../src/projection/ProjectionErrors.ts"
import { Projection } from "../../../src/projection/TypedProjection.ts"

const table = ProjectionTable.make({
  name: "public.jar_coins",
  columns: `jar text COLLATE "C" PRIMARY KEY, coins bigint NOT NULL`
})

/** A service of the host's: what a coin is worth, which it may not know at the moment. */
class Worth extends Context.Service<Worth, { of(jar: string, coins: number): Effect.Effect<number, Retry | Error> }>()(
  "test/Worth"
) {}

const JarCoins = Projection.make("jar-coins", {
  version: 1,
  from: [Jars],
  types: ["Filled"],
  table,
  handle: Effect.fnUntraced(function* (events, { sql, table }) {
    const worth = yield* Worth
    for (const { event, id } of events) {
      if (event._tag !== "Filled") continue
      yield* sql`
        INSERT INTO ${table} AS known (jar, coins) VALUES (${id}, ${yield* worth.of(id, event.coins)})
        ON CONFLICT (jar) DO UPDATE SET coins = known.coins + excluded.coins`
    }
  })
})

const coins = Effect.flatMap(Database, ({ reads: sql }) =>
  Effect.map(
    sql<{ readonly jar: string; readonly coins: bigint }>`SELECT jar, coins FROM ${table.in(sql, "live")} ORDER BY jar`,
    (rows) => rows.map(({ coins, jar }) => `${jar}:${coins}`).join(" ")
  )
)

const reaches = (token: string) =>
  Effect.flatMap(Projections, (projections) => projections.awaitToken(JarCoins.name, token, longestWait))

const kernels: Record<string, Effect.Effect<ReturnType<typeof EventSourcing.layerPostgres>, unknown, Scope.Scope>> = {
  "on PGlite": Effect.succeed(EventSourcing.layerPglite("memory")),
  "on PostgreSQL": Effect.map(freshDatabase, (url) => EventSourcing.layerPostgres(url, patientConnections))
}

for (const [where, kernel] of Object.entries(kernels)) {
  it.live(`a typed projection ${where} has services, waits for what is away, and parks a stream it can't apply`, () =>
    Effect.gen(function* () {
      let isAway = true
      const worth = Layer.succeed(Worth, {
        of: (jar, coins) => {
          if (jar === "bad") return Effect.fail(new Error("a bad jar"))
          return isAway ? Effect.fail(new Retry({})) : Effect.succeed(coins * 10)
        }
      })
      const running = Projection.layer(JarCoins).pipe(
        Layer.provide(worth),
        Layer.provideMerge(Jars.layer),
        Layer.provideMerge(yield* kernel),
        Layer.provide(silent)
      )
      yield* Effect.gen(function* () {
        const { list } = yield* ParkedStreams
        yield* fill("a:1 b:2")
        const projections = yield* Projections
        yield* projections.list.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ([info]) => info?.status === "retrying" })
        )
        assert.deepStrictEqual(yield* list, [])
        isAway = false
        yield* reaches(yield* fill("a:3"))
        assert.strictEqual(yield* coins, "a:40 b:20")
        yield* reaches(yield* fill("bad:5 a:1"))
        assert.strictEqual(yield* coins, "a:50 b:20")
        assert.containSubset(yield* list, [{ projection: "jar-coins", streamId: "jar-bad", reason: "a bad jar" }])
      }).pipe(Effect.provide(running))
    })
  )
}

it.live("a typed projection is refused in memory, where there is no SQL", () =>
  Effect.gen(function* () {
    const running = Projection.layer(JarCoins).pipe(
      Layer.provide(Layer.succeed(Worth, { of: (_, coins) => Effect.succeed(coins) })),
      Layer.provide(EventSourcing.layerMemory)
    )
    const exit = yield* Effect.exit(Effect.provide(Effect.void, running))
    assert.include(String(exit), "run it on PostgreSQL, or on PGlite in memory")
  })
)
