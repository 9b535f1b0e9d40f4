/**
 * Compares view rows with the fold of their streams, and puts a row right.
 *
 * A row, the checkpoint and the version its stream had there are read in one snapshot, so nothing that is merely under
 * way looks like a difference. Parked and degraded streams are not compared: their rows are known to lack events.
 *
 * A difference is looked for twice before it is believed: where a rebuild took the table's place after the snapshot was
 * taken, the rows in it are older than the checkpoint that was read.
 */
import { DateTime, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import type { EventStore, RecordedEvent } from "../../eventstore/EventStore.ts"
import { StreamId } from "../../eventstore/StreamId.ts"
import { bounded } from "../run/BoundedTransaction.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as Comparison from "./Comparison.ts"
import * as LogPages from "../run/LogPages.ts"
import { type Batch, handles, type Projection, type ProjectionAudit, type Slot } from "../Projection.ts"
import { RepairRefused } from "../ProjectionErrors.ts"
import type { Difference } from "../Projections.ts"

/** What one look at the database saw. */
interface Seen {
  readonly row: { readonly version: number; readonly content: unknown } | undefined
  /** The stream's version at the checkpoint; undefined if it is not to be compared. */
  readonly version: number | undefined
}

export type Compared =
  /** It is set aside, another version made the view, or there are neither events up to the checkpoint nor a row. */
  | { readonly _tag: "NotCompared" }
  | { readonly _tag: "Equal" }
  | {
      readonly _tag: "Differs"
      readonly difference: Difference
      /** Of which the row should be the fold. */
      readonly events: ReadonlyArray<RecordedEvent>
      /** The stream's version at the checkpoint. */
      readonly applied: number
    }

const notCompared: Compared = { _tag: "NotCompared" }
const equal: Compared = { _tag: "Equal" }

const isSetAside = (sql: SqlClient.SqlClient, name: string, slot: Slot, streamId: string) =>
  sql`SELECT FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = ${slot} AND stream_id = ${streamId}`.pipe(
    Effect.map((rows) => rows.length > 0)
  )

const look = (
  sql: SqlClient.SqlClient,
  { name, version: madeBy }: Projection,
  audit: ProjectionAudit,
  slot: Slot,
  streamId: string
) =>
  Effect.gen(function* () {
    yield* sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`
    const checkpoint = yield* Checkpoint.stored(sql, { name, slot })
    const isOurs = checkpoint?.version === madeBy
    if (!isOurs || (yield* isSetAside(sql, name, slot, streamId))) {
      return { row: undefined, version: undefined } satisfies Seen
    }
    const version = yield* LogPages.versionAt(sql, streamId, checkpoint.position)
    const row = yield* audit.row(sql, streamId, slot)
    return { row, version } satisfies Seen
  }).pipe(sql.withTransaction, bounded)

const pageSize = 500

const isStreamId = Schema.is(StreamId)

/** The first `version` events of a stream; of what can be none, none. */
const eventsUpTo = Effect.fnUntraced(function* (log: EventStore["Service"], streamId: string, version: number) {
  if (!isStreamId(streamId)) return []
  const events: Array<RecordedEvent> = []
  while (events.length < version) {
    const limit = Math.min(pageSize, version - events.length)
    const page = yield* log.readStream(streamId, { after: events.length, limit })
    events.push(...page)
    if (page.length < limit) break
  }
  return events
})

const named = (event: RecordedEvent | undefined) =>
  event === undefined ? {} : { event: { version: event.version, type: event.type, position: event.position } }

const compareOnce = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  log: EventStore["Service"],
  projection: Projection,
  audit: ProjectionAudit,
  slot: Slot,
  streamId: string
) {
  const { row, version: applied } = yield* look(sql, projection, audit, slot, streamId)
  if (applied === undefined || (applied === 0 && row === undefined)) return notCompared
  const all = yield* eventsUpTo(log, streamId, Math.max(applied, row?.version ?? 0))
  const events = all.slice(0, applied).filter((event) => handles(projection, event))
  const contents = [...audit.contents(events)]
  const expected = contents.at(-1)
  if (row === undefined && expected === undefined) return equal
  const foundAt = DateTime.formatIso(yield* DateTime.now)
  const about = { projection: projection.name, streamId, version: row?.version ?? 0, foundAt }
  if (row === undefined) {
    const difference: Difference = {
      ...about,
      kind: "missing",
      field: "",
      inView: undefined,
      inLog: expected,
      ...named(events[0])
    }
    return { _tag: "Differs", difference, events, applied } satisfies Compared
  }
  if (expected === undefined) {
    const difference: Difference = { ...about, kind: "extra", field: "", inView: row.content, inLog: undefined }
    return { _tag: "Differs", difference, events, applied } satisfies Compared
  }
  const ownVersion = events.findIndex((event) => event.version === row.version)
  const own = Comparison.parting(row.content, contents[ownVersion] ?? expected)
  const whole = own ?? Comparison.parting(row.content, expected)
  if (whole === undefined) return equal
  const isBehind = own === undefined
  const event = isBehind ? events[ownVersion + 1] : Comparison.partingEvent(events, contents, whole)
  const difference: Difference = { ...about, ...whole, kind: isBehind ? "behind" : "different", ...named(event) }
  return { _tag: "Differs", difference, events, applied } satisfies Compared
})

export const compare = (...asked: Parameters<typeof compareOnce>): ReturnType<typeof compareOnce> =>
  Effect.flatMap(compareOnce(...asked), (found) =>
    found._tag === "Differs" ? compareOnce(...asked) : Effect.succeed(found)
  )

const isNonEmpty = (events: ReadonlyArray<RecordedEvent>): events is Batch => events.length > 0

/** Puts the fold of the log in the row's place, if both are still as they were compared; the difference that was. */
export const repair = Effect.fn("DriftAudit.repair")(function* (
  sql: SqlClient.SqlClient,
  log: EventStore["Service"],
  projection: Projection,
  audit: ProjectionAudit,
  streamId: string
) {
  const { name } = projection
  const refused = (problem: string) => new RepairRefused({ projection: name, streamId, problem })
  const found = yield* compare(sql, log, projection, audit, "live", streamId)
  const write = Effect.gen(function* () {
    const checkpoint = yield* Checkpoint.lock(sql, { name, slot: "live" })
    if (checkpoint === undefined) return yield* refused("it has never been run")
    if (checkpoint.version !== projection.version) return yield* refused(Checkpoint.otherVersion(checkpoint.version))
    if ((yield* Checkpoint.stored(sql, { name, slot: "shadow" })) !== undefined) {
      return yield* refused("a rebuild is under way, which will put it right")
    }
    if (yield* isSetAside(sql, name, "live", streamId)) return yield* refused("the stream is parked or degraded")
    if (found._tag !== "Differs") return undefined
    const { applied, difference, events } = found
    const isCurrent = (yield* LogPages.versionAt(sql, streamId, checkpoint.position)) === applied
    const over = difference.kind === "missing" ? undefined : difference.version
    const put = isNonEmpty(events) ? audit.write(sql, events, over) : audit.remove(sql, streamId, difference.version)
    if (!isCurrent || !(yield* put)) {
      return yield* refused("it has changed since it was compared; audit it again")
    }
    return difference
  })
  const repaired = yield* write.pipe(sql.withTransaction, bounded)
  if (repaired !== undefined) yield* Effect.logWarning(`the row of ${streamId} was put right: it was ${repaired.kind}`)
  return repaired
})
