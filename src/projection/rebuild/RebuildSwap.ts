/**
 * Puts the shadow table in place of the live one, under the locks of both checkpoints: live first, as everywhere else.
 * In that transaction the shadow is first brought to where the live table is, so that no position goes back for a
 * reader. `RebuildRunner` calls this once the shadow is near.
 */
import { Data, Duration, Effect, Schedule } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { BatchSize } from "../run/BatchSize.ts"
import { bounded } from "../run/BoundedTransaction.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as LogPages from "../run/LogPages.ts"
import * as ParkedRows from "../parking/ParkedRows.ts"
import { handles, type Projection } from "../Projection.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import * as RebuildRows from "./RebuildRows.ts"

export const tableLocked =
  "The table that serves is locked, by somebody who reads it for long or changes it, so it can't be replaced yet; " +
  "this is tried again every 2 to 30 s until it is free."

/** A swap that waits for a lock keeps all readers waiting behind it, so a locked table is tried again only rarely. */
export const retries = Schedule.min([Schedule.exponential("2 seconds"), Schedule.spaced("30 seconds")])

/** Remembers about a rebuild what outlives the attempts to finish it. */
export const makeState = Effect.fnUntraced(function* (id: string) {
  const step = yield* Schedule.toStep(retries)
  return {
    id,
    /** The rows of the shadow table were found to be the fold of the log. */
    isCompared: false,
    /** The table that serves was locked when the swap was last tried. */
    isLocked: false,
    /**
     * The swap is not tried before this time, in milliseconds of the monotonic clock; until then the shadow goes on
     * following the log.
     */
    dueAt: 0,
    /** The next pause has so many milliseconds: 2 s at first, then twice as long each time, at most 30 s. */
    nextPause: (now: number) =>
      step(now, undefined).pipe(
        Effect.map(([, pause]) => Duration.toMillis(pause)),
        Effect.orElseSucceed(() => 30_000)
      )
  }
})

export type Swapped =
  | { readonly _tag: "Swapped"; readonly position: bigint }
  /** The live table is too far ahead, or an event that only it has fails in the shadow. */
  | { readonly _tag: "NotYet" }
  /** Another transaction has locked the table for longer than readers may be kept waiting. */
  | { readonly _tag: "Locked" }
  | { readonly _tag: "Refused"; readonly problem: string }

/** An event failed, so these events have to be applied in the ordinary way, which parks the stream at fault. */
class CatchUpFailed extends Data.TaggedError("CatchUpFailed")<{ readonly cause: unknown }> {}

const eventsPerPage = 100

/** At most so many events are applied while the live table has to wait. */
const gap = (size: BatchSize) => BigInt(Math.min(1_000, size.current()))

/** Gives where the shadow has to be: where the live table is, or at the head if that table is of another log. */
const goal = (live: Checkpoint.Stored, head: bigint) =>
  Checkpoint.problemOf(live) === undefined ? live.position : head

/** Gives where the shadow has to be by now; undefined if there is no live table. */
export const target = (sql: SqlClient.SqlClient, { name }: Projection, { head }: Checkpoint.Checkpoint) =>
  Effect.map(Checkpoint.stored(sql, { name, slot: "live" }), (live) =>
    live === undefined ? undefined : goal(live, head)
  )

export const isNear = (position: bigint, target: bigint, size: BatchSize) => target - position <= gap(size)

/** Finds streams that are parked in the shadow and further on in the live table: their readers would go back. */
const newlyParked = (sql: SqlClient.SqlClient, { name }: Projection) =>
  sql<{ readonly streamId: string; readonly reason: string }>`
    SELECT s.stream_id AS "streamId", s.reason FROM ordinal.parked_streams s
    WHERE s.projection = ${name} AND s.slot = 'shadow' AND s.parked AND NOT EXISTS (
      SELECT FROM ordinal.parked_streams l
      WHERE l.projection = s.projection AND l.slot = 'live' AND l.stream_id = s.stream_id AND l.parked
        AND l.version <= s.version
    ) ORDER BY s."position"`

const applyPage = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  page: ReadonlyArray<RecordedEvent>
) {
  const events = page.filter((event) => handles(projection, event))
  const key = { name: projection.name, slot: "shadow" } as const
  const parked = yield* ParkedRows.among(sql, key, [...new Set(events.map((event) => event.streamId))])
  const [first, ...rest] = events.filter((event) => !parked.has(event.streamId))
  if (first === undefined) return
  yield* Effect.suspend(() => projection.handle(sql, [first, ...rest], "shadow")).pipe(
    Effect.catchCause((cause): Effect.Effect<never, CatchUpFailed | SqlError.SqlError> =>
      ProjectionFailure.kind(cause) === "defect" ? Effect.fail(new CatchUpFailed({ cause })) : Effect.failCause(cause)
    )
  )
})

/** Applies the events that only the live table has, in small pages, since events may be large. */
const catchUp = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  after: bigint,
  upTo: bigint
) {
  for (let applied = after; applied < upTo; applied += BigInt(eventsPerPage)) {
    yield* applyPage(sql, projection, yield* LogPages.ofLog(sql, applied, upTo, eventsPerPage))
  }
})

const replace = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  shadow: Checkpoint.Checkpoint,
  position: bigint
) {
  const { elsewhere, name, tables } = projection
  if (elsewhere !== undefined) {
    yield* elsewhere.reached(sql, "shadow", shadow, { position, eventId: yield* LogPages.eventIdAt(sql, position) })
  }
  if (tables !== undefined) yield* tables.swap(sql)
  yield* sql`DELETE FROM ordinal.parked_streams WHERE projection = ${name} AND slot = 'live'`
  yield* sql`UPDATE ordinal.parked_streams SET slot = 'live' WHERE projection = ${name} AND slot = 'shadow'`
  yield* sql`
    UPDATE ordinal.checkpoints l SET version = s.version, log_id = s.log_id, "position" = ${position},
      event_position = nullif(${position}::bigint, 0), event_id = (SELECT event_id FROM ordinal.events WHERE "position" = ${position}),
      parked = s.parked, problem = NULL, updated_at = clock_timestamp()
    FROM ordinal.checkpoints s
    WHERE l.projection = ${name} AND l.slot = 'live' AND s.projection = ${name} AND s.slot = 'shadow'`
  yield* sql`DELETE FROM ordinal.checkpoints WHERE projection = ${name} AND slot = 'shadow'`
})

export const swap = (sql: SqlClient.SqlClient, projection: Projection, owner: string, id: string, size: BatchSize) =>
  Effect.gen(function* () {
    const { name, version } = projection
    const live = yield* Checkpoint.lock(sql, { name, slot: "live" })
    const shadow = yield* Checkpoint.lock(sql, { name, slot: "shadow" })
    if (shadow?.owner !== owner || shadow.version !== version || shadow.paused || live === undefined) {
      return yield* new Checkpoint.CheckpointMoved()
    }
    const replaced = Checkpoint.problemOf(shadow)
    if (replaced !== undefined) return { _tag: "Refused", problem: replaced } satisfies Swapped
    const upTo = goal(live, shadow.head)
    if (!isNear(shadow.position, upTo, size)) return { _tag: "NotYet" } satisfies Swapped
    if (upTo > shadow.position) yield* catchUp(sql, projection, shadow.position, upTo)
    const [parked] = yield* newlyParked(sql, projection)
    if (parked !== undefined) {
      const { reason, streamId } = parked
      const problem = `${streamId} fails in the new view and not in the one that serves: ${reason}`
      return { _tag: "Refused", problem } satisfies Swapped
    }
    const position = upTo > shadow.position ? upTo : shadow.position
    yield* replace(sql, projection, shadow, position)
    yield* RebuildRows.complete(sql, id, position)
    return { _tag: "Swapped", position } satisfies Swapped
  }).pipe(
    sql.withTransaction,
    bounded,
    Effect.catchTag("CatchUpFailed", ({ cause }) =>
      Effect.as(
        Effect.logWarning(
          "An event that only the live table has fails in the new one; the swap waits until it is parked.",
          cause
        ),
        {
          _tag: "NotYet"
        } satisfies Swapped
      )
    ),
    Effect.catchIf(ProjectionFailure.isLocked, () => Effect.succeed({ _tag: "Locked" } satisfies Swapped)),
    // The next swap then waits until there is less to catch up with.
    Effect.tapCause((cause) =>
      Effect.sync(() => {
        if (ProjectionFailure.kind(cause) === "slow") size.tooSlow(size.current())
      })
    )
  )
