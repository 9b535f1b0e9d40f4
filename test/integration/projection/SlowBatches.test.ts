import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import { defaults, ProjectionLimits } from "../../../src/projection/ProjectionLimits.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { Rebuilds } from "../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../harness/judges/OrderViewFold.ts"
import { infoWhen, silent, viewReaches } from "../../../harness/views/ViewSteps.ts"
import { operatedLayer, readerLayer } from "../../../harness/views/ViewLayer.ts"

const { name } = OrderViewProjection
const surroundings = Layer.merge(
  silent,
  Layer.succeed(ProjectionLimits, { ...defaults, transaction: Duration.millis(1_500) })
)

/** A statement that is ended by the server, as one that takes longer than the session allows. */
const timesOut = (sql: SqlClient.SqlClient) =>
  sql`SELECT set_config('statement_timeout', '5ms', true)`.pipe(Effect.andThen(sql`SELECT pg_sleep(1)`))

/** An order view whose batches are too slow if so told; the sizes of those that were tried. */
const slow = (isSlow: (events: ReadonlyArray<RecordedEvent>) => boolean) => {
  const sizes: Array<number> = []
  const projection: Projection = {
    ...OrderViewProjection,
    handle: (sql, events, slot) =>
      Effect.suspend(() => {
        sizes.push(events.length)
        return isSlow(events) ? Effect.asVoid(timesOut(sql)) : OrderViewProjection.handle(sql, events, slot)
      })
  }
  return { sizes, projection }
}

describe.concurrent("a batch that runs into the statement timeout", () => {
  it.live("is applied in smaller ones, and nothing is set aside", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { projection, sizes } = slow((events) => events.length > 40)
      const head = yield* append(yield* orderLives(60)).pipe(Effect.provide(readerLayer(url)))
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const parkedStreams = yield* ParkedStreams
        yield* viewReaches(head)
        yield* assertViewIsFold
        assert.isAbove(sizes[0]!, 40)
        assert.isBelow(sizes.filter((size) => size > 40).length, 8)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        // A rebuild bears it as well.
        const { id } = yield* rebuilds.start(name, { compare: 5 })
        const { state } = yield* rebuilds
          .get(id)
          .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }) => state !== "running" }))
        assert.strictEqual(state, "completed")
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )

  it.live("parks the stream of an event that does so alone, which a retry brings back after a fix", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let culprit: string | undefined
      const isCulprit = ({ streamId, version }: RecordedEvent) => version === 2 && streamId === culprit
      const { projection } = slow((events) => events.some(isCulprit))
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        const entries = yield* orderLives(10)
        culprit = entries.find(({ expected }) => expected > 0)?.streamId
        assert.isDefined(culprit)
        yield* viewReaches(yield* append(entries))
        const [parked, ...others] = yield* parkedStreams.list
        assert.deepStrictEqual(others, [])
        assert.containSubset(parked, { streamId: culprit, version: 2, parked: true })
        assert.include(parked!.reason, "statement timeout")
        const failed = yield* Effect.flip(parkedStreams.retry(parked!.id))
        assert.containSubset(failed, { _tag: "StillFailing", version: 2 })
        culprit = undefined
        yield* parkedStreams.retry(parked!.id)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )
})

/** Each statement is quick, but there is no end to them. */
const dawdles = (sql: SqlClient.SqlClient) => Effect.forever(sql`SELECT pg_sleep(0.02)`)

describe.concurrent("a single event whose transaction does not end in time", () => {
  it.live("parks its stream, and only that, with a reason that says so; a retry brings it back after a fix", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let culprit: { readonly streamId: string; readonly version: number } | undefined
      const projection: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          events.some(({ streamId, version }) => version === culprit?.version && streamId === culprit.streamId)
            ? dawdles(sql)
            : OrderViewProjection.handle(sql, events, slot)
      }
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        const entries = yield* orderLives(10)
        const index = entries.findIndex(({ expected }) => expected > 0)
        const { expected, streamId } = entries[index]!
        const version = expected + 1
        yield* viewReaches(yield* append(entries.slice(0, index)))
        culprit = { streamId, version }
        const head = yield* append(entries.slice(index))
        yield* viewReaches(head)
        const [parked, ...others] = yield* parkedStreams.list
        assert.deepStrictEqual(others, [])
        assert.containSubset(parked, { streamId, version, parked: true })
        assert.match(parked!.reason, /longer than the 1.5 s that a transaction has/)
        assert.containSubset(yield* infoWhen(({ status }) => status === "live"), { position: head, parked: 1 })
        const failed = yield* Effect.flip(parkedStreams.retry(parked!.id))
        assert.containSubset(failed, { _tag: "StillFailing", streamId, version })
        assert.include(failed.message, "its transaction does not end in time")
        culprit = undefined
        yield* parkedStreams.retry(parked!.id)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(surroundings))
    })
  )
})
