/** A projection whose rows are not in the database of the log: they may be ahead of its checkpoint, and never behind. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Database } from "../../../src/database/Database.ts"
import type { Projection, RowsElsewhere } from "../../../src/projection/Projection.ts"
import { Audits } from "../../../src/projection/audit/Audits.ts"
import { ProjectionProgress } from "../../../src/projection/consistency/ProjectionProgress.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { fresh, readerLayer, unaudited } from "../../../harness/views/ViewLayer.ts"

type Compared = Effect.Success<ReturnType<RowsElsewhere["compare"]>>

/** Keeps the version of each stream in a map, and a note of the position beside it. */
const elsewhere = () => {
  const versions = new Map<string, number>()
  const state = { noted: 0n, isAway: false, gone: 0, compared: undefined as Compared | undefined, created: 0 }
  const orAway = Effect.suspend(() =>
    state.isAway
      ? Effect.fail(new SqlError({ reason: new ConnectionError({ cause: new Error("it is away") }) }))
      : Effect.void
  )
  const projection: Projection = {
    name: "versions",
    version: 1,
    partition: "stream",
    categories: ["order"],
    handle: (_, events) =>
      Effect.map(orAway, () => {
        for (const { streamId, version } of events)
          versions.set(streamId, Math.max(version, versions.get(streamId) ?? 0))
      }),
    tables: {
      names: ["elsewhere.versions"],
      create: () =>
        Effect.map(orAway, () => {
          state.created += 1
        }),
      isEmpty: () => Effect.succeed(true),
      drop: () => Effect.void,
      swap: () => Effect.void
    },
    audit: {
      row: (_, streamId) =>
        Effect.sync(() => {
          const version = versions.get(streamId)
          return version === undefined ? undefined : { version, content: { version } }
        }),
      contents: (events) => events.map(({ version }) => ({ version })),
      streams: () => Effect.succeed([...versions.keys()]),
      write: () => Effect.succeed(true),
      remove: () => Effect.succeed(true)
    },
    elsewhere: {
      reached: (_, __, ___, { position }) =>
        Effect.sync(() => {
          state.noted = position
        }),
      compare: (_, __, { position }) =>
        Effect.map(orAway, () => {
          if (state.compared !== undefined) return state.compared
          if (state.noted >= position) return "fits"
          state.gone += 1
          return "gone"
        })
    }
  }
  return { projection, state, versions }
}

const layer = (projection: Projection) => (url: string) =>
  unaudited([projection]).pipe(Layer.provideMerge(readerLayer(url)), Layer.provideMerge(silent))

const reaches = ({ name }: Projection, position: bigint) =>
  Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition({ name }, position))

const statusBecomes = (status: string) =>
  Effect.flatMap(Projections, ({ list }) =>
    list.pipe(
      Effect.delay("20 millis"),
      Effect.map(([info]) => info!),
      Effect.repeat({ until: (info) => info.status === status })
    )
  )

it.live("notes how far its rows are before its checkpoint moves, and begins anew when they are gone", () => {
  const { projection, state, versions } = elsewhere()
  return Effect.gen(function* () {
    const projections = yield* Projections
    const head = yield* append(yield* orderLives(10))
    yield* reaches(projection, head)
    assert.isTrue(state.noted >= head)
    assert.strictEqual(state.created, 1)
    const all = new Map(versions)

    versions.clear()
    state.noted = 0n
    // Another attempt begins once the runner has seen the pause.
    yield* projections.pause("versions")
    const { status } = yield* ProjectionProgress
    yield* Effect.repeat(Effect.delay(status(projection), "10 millis"), { until: (now) => now === "paused" })
    yield* projections.resume("versions")
    yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => versions.size === all.size && state.noted >= head })
    assert.deepStrictEqual(versions, all)
    assert.deepStrictEqual([state.gone, state.created], [1, 2])
  }).pipe(Effect.provide(fresh(layer(projection))))
})

it.live("is started although its rows can't be reached, retries without blaming an event, and comes back", () => {
  const { projection, state, versions } = elsewhere()
  state.isAway = true
  return Effect.gen(function* () {
    const { reads: sql } = yield* Database
    const head = yield* append(yield* orderLives(5))
    yield* statusBecomes("retrying")
    state.isAway = false
    yield* reaches(projection, head)
    const next = yield* Effect.suspend(() => {
      state.isAway = true
      return Effect.flatMap(orderLives(2), append)
    })
    yield* statusBecomes("retrying")
    state.isAway = false
    yield* reaches(projection, next)
    assert.deepStrictEqual([...(yield* sql`SELECT stream_id FROM ordinal.parked_streams`)], [])
    assert.isAbove(versions.size, 0)
  }).pipe(Effect.provide(fresh(layer(projection))))
})

it.live("stops where its rows don't fit its checkpoint, and says why", () => {
  const { projection, state } = elsewhere()
  state.compared = { problem: "its rows are of another log" }
  return Effect.gen(function* () {
    const { problem } = yield* statusBecomes("stopped")
    assert.match(problem ?? "", /versions stopped: its rows are of another log; rebuild it from the log/)
  }).pipe(Effect.provide(fresh(layer(projection))))
})

it.live("is audited at the version that its row has, if that is ahead of the checkpoint", () => {
  const { projection, versions } = elsewhere()
  return Effect.gen(function* () {
    const [audits, projections] = [yield* Audits, yield* Projections]
    yield* reaches(projection, yield* append(yield* orderLives(3)))
    yield* projections.pause("versions")
    const entries = yield* orderLives(1)
    yield* append(entries)
    const { streamId } = entries[0]!
    versions.set(streamId, 1)
    assert.deepStrictEqual(yield* audits.auditStream("versions", streamId), { compared: 1, differences: [] })
    versions.set(streamId, 500)
    const { differences } = yield* audits.auditStream("versions", streamId)
    assert.containSubset(differences, [{ streamId, kind: "different" }])
  }).pipe(Effect.provide(fresh(layer(projection))))
})
