/**
 * Compares view rows with the fold of their streams, and puts a row right. A row, the checkpoint and the stream's version
 * there are read in one snapshot, so nothing that is merely under way looks like a difference. `SqlAudits` and
 * `RebuildRunner` call this.
 *
 * **Gotchas**: a rebuild may swap the tables after a snapshot was taken, so a difference counts only if it is found twice.
 */
import { DateTime, Effect, Random, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import type { EventStore, RecordedEvent } from "../../eventstore/EventStore.ts"
import { StreamId } from "../../eventstore/StreamId.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ParkedRows from "../parking/ParkedRows.ts"
import { type Batch, handles, type Projection, type ProjectionAudit, type Slot } from "../Projection.ts"
import { RepairRefused } from "../ProjectionErrors.ts"
import { bounded } from "../run/BoundedTransaction.ts"
import * as LogPages from "../run/LogPages.ts"
import type { Audited, Difference } from "./Audits.ts"
import * as Comparison from "./Comparison.ts"

/** Names the table of a projection that an audit compares with the log, and holds what the audit needs for that. */
export interface View {
  readonly sql: SqlClient.SqlClient
  readonly log: EventStore["Service"]
  readonly projection: Projection
  readonly audit: ProjectionAudit
  readonly slot: Slot
}

/**
 * - `NotCompared`: the stream is parked or degraded, so that its row is known to lack events; another version made the
 *   view; or up to the checkpoint there are neither events nor a row.
 * - `Differs`: the row should be the fold of `events`; `applied` is the stream's version at the checkpoint.
 */
export type Compared =
  | { readonly _tag: "NotCompared" }
  | { readonly _tag: "Equal" }
  | {
      readonly _tag: "Differs"
      readonly difference: Difference
      readonly events: ReadonlyArray<RecordedEvent>
      readonly applied: number
    }

/** Reads a row and the stream's version at the checkpoint in one snapshot; undefined if it is not to be compared. */
const readRow = ({ audit, projection, slot, sql }: View, streamId: string) =>
  Effect.gen(function* () {
    yield* sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`
    const key = { name: projection.name, slot }
    const checkpoint = yield* Checkpoint.stored(sql, key)
    if (checkpoint?.version !== projection.version) return undefined
    if (yield* ParkedRows.isSetAside(sql, key, streamId)) return undefined
    const applied = yield* LogPages.versionAt(sql, streamId, checkpoint.position)
    const row = yield* audit.row(sql, streamId, slot)
    return applied === 0 && row === undefined ? undefined : { applied, row }
  }).pipe(sql.withTransaction, bounded)

const eventsPerPage = 500

const isStreamId = Schema.is(StreamId)

/** Reads the first `version` events of a stream; none of what can't be a stream. */
const eventsUpTo = Effect.fnUntraced(function* (log: EventStore["Service"], streamId: string, version: number) {
  if (!isStreamId(streamId)) return []
  const events: Array<RecordedEvent> = []
  while (events.length < version) {
    const limit = Math.min(eventsPerPage, version - events.length)
    const page = yield* log.readStream(streamId, { after: events.length, limit })
    events.push(...page.events)
    if (!page.hasMore) break
  }
  return events
})

const compareOnce = Effect.fnUntraced(function* (view: View, streamId: string) {
  const { audit, log, projection } = view
  const read = yield* readRow(view, streamId)
  if (read === undefined) return { _tag: "NotCompared" } satisfies Compared
  const { applied, row } = read
  // A row that is kept elsewhere may be ahead of the checkpoint.
  const upTo = projection.elsewhere === undefined ? applied : Math.max(applied, row?.version ?? 0)
  const all = yield* eventsUpTo(log, streamId, upTo)
  const events = all.filter((event) => handles(projection, event))
  const found = Comparison.findDifference(row, events, [...audit.contents(events)])
  if (found === undefined) return { _tag: "Equal" } satisfies Compared
  const { from, ...fields } = found
  const difference: Difference = {
    projection: projection.name,
    streamId,
    ...fields,
    version: row?.version ?? 0,
    ...(from === undefined ? {} : { event: { version: from.version, type: from.type, position: from.position } }),
    foundAt: DateTime.formatIso(yield* DateTime.now)
  }
  return { _tag: "Differs", difference, events, applied } satisfies Compared
})

/** Compares the row of one stream with the log. */
export const compare = (view: View, streamId: string) =>
  Effect.flatMap(compareOnce(view, streamId), (found) =>
    found._tag === "Differs" ? compareOnce(view, streamId) : Effect.succeed(found)
  )

/** Compares streams one after the other, giving way to other fibers after each, and adds up what it found. */
const comparer = (view: View) => {
  const differences: Array<Difference> = []
  let compared = 0
  const compareEach = Effect.fnUntraced(function* (streamIds: ReadonlyArray<string>) {
    for (const streamId of streamIds) {
      const found = yield* compare(view, streamId)
      if (found._tag !== "NotCompared") compared++
      if (found._tag === "Differs") differences.push(found.difference)
      yield* Effect.yieldNow
    }
  })
  return { compareEach, audited: (): Audited => ({ compared, differences }) }
}

const headOf = ({ projection, slot, sql }: View) =>
  Effect.map(Checkpoint.stored(sql, { name: projection.name, slot }), (checkpoint) => checkpoint?.position ?? 0n)

/**
 * Compares up to `count` streams that are picked at random by their events. Since no such sample contains a row without
 * any events, it also looks at `count` rows after `afterRow`; the next sample goes on after `lastRow`.
 */
export const compareSample = Effect.fnUntraced(function* (view: View, count: number, afterRow?: string) {
  const { audit, projection, slot, sql } = view
  const { audited, compareEach } = comparer(view)
  const head = yield* headOf(view)
  const picks = head === 0n ? 0 : count
  const positions = yield* Effect.replicateEffect(Random.nextIntBetween(1, Number(head) + 1), picks)
  yield* compareEach(yield* LogPages.someStreams(sql, projection.categories, head, positions.map(BigInt)))
  const rows = yield* audit.streams(sql, slot, afterRow, count)
  yield* compareEach(yield* LogPages.unknownStreams(sql, rows))
  return { ...audited(), lastRow: rows.length < count ? undefined : rows.at(-1) }
})

const streamsPerPage = 500

/** Reads page after page, until one is not full. */
const forEachPage = Effect.fnUntraced(function* <E1, E2>(
  read: (after: string | undefined) => Effect.Effect<ReadonlyArray<string>, E1>,
  each: (page: ReadonlyArray<string>) => Effect.Effect<void, E2>
) {
  let after: string | undefined
  do {
    const page: ReadonlyArray<string> = yield* read(after)
    yield* each(page)
    after = page.length < streamsPerPage ? undefined : page.at(-1)
  } while (after !== undefined)
})

/** Compares all streams up to the checkpoint, and all rows that have no events. */
export const compareAll = Effect.fnUntraced(function* (view: View) {
  const { audit, projection, slot, sql } = view
  const { audited, compareEach } = comparer(view)
  const head = yield* headOf(view)
  yield* forEachPage(
    (after = "") => LogPages.streamsAfter(sql, projection.categories, head, after, streamsPerPage),
    compareEach
  )
  yield* forEachPage(
    (after) => audit.streams(sql, slot, after, streamsPerPage),
    (rows) => Effect.flatMap(LogPages.unknownStreams(sql, rows), compareEach)
  )
  return audited()
})

const isNonEmpty = (events: ReadonlyArray<RecordedEvent>): events is Batch => events.length > 0

/**
 * Writes the fold of the log over a row, if both are still as they were compared; gives the difference that was there.
 */
export const repair = Effect.fnUntraced(function* (view: View, streamId: string) {
  const { audit, projection, sql } = view
  const { name } = projection
  const refused = (problem: string) => new RepairRefused({ projection: name, streamId, problem })
  const found = yield* compare(view, streamId)
  return yield* Effect.gen(function* () {
    const checkpoint = yield* Checkpoint.lock(sql, { name, slot: "live" })
    if (checkpoint === undefined) return yield* refused("it has never been run")
    if (checkpoint.version !== projection.version) return yield* refused(Checkpoint.otherVersion(checkpoint.version))
    if ((yield* Checkpoint.stored(sql, { name, slot: "shadow" })) !== undefined) {
      return yield* refused("a rebuild is under way, which will put it right")
    }
    if (yield* ParkedRows.isSetAside(sql, { name, slot: "live" }, streamId)) {
      return yield* refused("the stream is parked or degraded")
    }
    if (found._tag !== "Differs") return undefined
    const { applied, difference, events } = found
    const isCurrent = (yield* LogPages.versionAt(sql, streamId, checkpoint.position)) === applied
    const over = difference.kind === "missing" ? undefined : difference.version
    const put = isNonEmpty(events) ? audit.write(sql, events, over) : audit.remove(sql, streamId, difference.version)
    if (!isCurrent || !(yield* put)) return yield* refused("it has changed since it was compared; audit it again")
    return difference
  }).pipe(
    sql.withTransaction,
    bounded,
    Effect.tap((difference) =>
      difference === undefined
        ? Effect.void
        : Effect.logWarning(`The row of ${streamId} was put right; it was ${difference.kind}.`)
    )
  )
})
