/** A projection whose rows are not in the database of the log: they may be ahead of its checkpoint, and never behind. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { Database } from "../../../src/database/Database.ts"
import type { Projection, RowsElsewhere } from "../../../src/projection/Projection.ts"
import { Audits } from "../../../src/projection/audit/Audits.ts"
import { ProjectionProgress } from "../../../src/projection/consistency/ProjectionProgress.ts"
import { defaults, ProjectionLimits } from "../../../src/projection/ProjectionLimits.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { fresh, readerLayer, unaudited } from "../../../harness/views/ViewLayer.ts"

type Compared = Effect.Success<ReturnType<RowsElsewhere["compare"]>>

/** Keeps the version of each stream in a map, and a note of the position beside it. */
const elsewhere = () => {
  const versions = new Map<string, number>()
  const state = {
    noted: 0n,
    isAway: false,
    gone: 0,
    compared: undefined as Compared | undefined,
    created: 0,
    /** A handler that gets more events than this never ends. */
    most: Infinity
  }
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
      Effect.map(events.length > state.most ? Effect.never : orAway, () => {
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

/** A transaction may take so long that a batch elsewhere has 300 ms. */
const hasty = Layer.succeed(ProjectionLimits, { ...defaults, transaction: Duration.seconds(1) })

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
    const head = yield* append(yield* orderLives(10))
    yield* reaches(projection, head)
    assert.isTrue(state.noted >= head)
    assert.strictEqual(state.created, 1)
    const all = new Map(versions)

    versions.clear()
    state.noted = 0n
    // Nothing more is appended: the runner looks for its rows by itself.
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
    // No event tells it that the rows are away.
    state.isAway = true
    yield* statusBecomes("retrying")
    state.isAway = false
    yield* statusBecomes("live")
    assert.deepStrictEqual([...(yield* sql`SELECT stream_id FROM ordinal.parked_streams`)], [])
    assert.isAbove(versions.size, 0)
  }).pipe(Effect.provide(fresh(layer(projection))))
})

it.live("gets fewer events at once where those of a batch take too long", () => {
  const { projection, state, versions } = elsewhere()
  return Effect.gen(function* () {
    const { reads: sql } = yield* Database
    const projections = yield* Projections
    yield* projections.pause("versions")
    yield* statusBecomes("paused")
    state.most = 4
    const head = yield* append(yield* orderLives(5))
    yield* projections.resume("versions")
    yield* reaches(projection, head)
    assert.strictEqual(versions.size, 5)
    assert.deepStrictEqual([...(yield* sql`SELECT stream_id FROM ordinal.parked_streams`)], [])
  }).pipe(Effect.provide(fresh(layer(projection)).pipe(Layer.provide(hasty))))
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
