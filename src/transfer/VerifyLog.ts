/**
 * Reads the whole log and checks what it promises: positions 1 to N without gaps, the versions of each stream 1 to n in the
 * order of positions, no id twice, times that never go back, one contiguous batch per command, events that decode, and
 * receipts, snapshots and checkpoints that belong to this history. Servers may go on meanwhile: it looks at what the log had
 * when it began. Its memory does not grow with the log; what needs all events at once is sorted by the database.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import { createHash } from "node:crypto"
import { causeText } from "../database/CauseText.ts"
import { Database } from "../database/Database.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"
import type { Slot } from "../projection/Projection.ts"
import * as LogLines from "./LogLines.ts"
import * as LogState from "./LogState.ts"

/** Decodes the events of each category; throws if one can't be. */
export type Decoders = Readonly<
  Record<string, (stored: { readonly type: string; readonly schemaVersion: number; readonly data: unknown }) => unknown>
>

export interface Options {
  readonly decoders: Decoders
  /** At most so many faults are told. */
  readonly faults: number
  readonly onProgress: LogState.OnProgress
}

export interface Verified {
  readonly logId: string
  readonly events: number
  /** The hash of all events, which is the same in each copy of the log, and in its export. */
  readonly history: string
  /** Events of categories that no decoder is given for, which were not decoded. */
  readonly undecoded: number
  readonly faults: ReadonlyArray<string>
  /** There are more faults than those. */
  readonly hasMore: boolean
}

interface Row {
  readonly fault: string
}

type Found = Effect.Effect<ReadonlyArray<string>, SqlError.SqlError>

/** Checks that need all events at once. Each lists some of the faults of the first `n` events, and one more than `limit`. */
const wholeChecks = (sql: SqlClient.SqlClient, n: bigint, limit: number): ReadonlyArray<Found> => {
  const faults = (rows: Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>): Found =>
    Effect.map(LogState.unhurried(sql, rows), (all) => all.map(({ fault }) => fault))
  const misplaced = (
    what: string,
    table: Statement.Fragment
  ) => sql<Row>`SELECT ${what}::text || ' says that version ' || r.version || ' of ' ||
      r.stream_id || ' is at position ' || r."position" || ', where the log has another event or none.' AS fault
    FROM ${table} AS r LEFT JOIN ordinal.events AS e ON e."position" = r."position"
    WHERE r."position" <= ${n} AND (r."position" > 0 OR r.version > 0)
      AND (e.stream_id, e.version) IS DISTINCT FROM (r.stream_id, r.version) LIMIT ${limit + 1}`
  return [
    sql<Row>`SELECT stream_id || ' has ' || count(*) || ' events, but their versions are not 1 to ' ||
        count(*) || ' in the order of their positions.' AS fault
      FROM (
        SELECT stream_id, version, row_number() OVER (PARTITION BY stream_id ORDER BY "position") AS number
        FROM ordinal.events WHERE "position" <= ${n}
      ) AS numbered GROUP BY stream_id HAVING NOT bool_and(version = number) LIMIT ${limit + 1}`,
    sql<Row>`SELECT 'The event id ' || event_id || ' is there ' || count(*) || ' times.' AS fault
      FROM ordinal.events WHERE "position" <= ${n} GROUP BY event_id HAVING count(*) > 1 LIMIT ${limit + 1}`,
    sql<Row>`SELECT 'Command ' || coalesce(command, '(none)') || ' has its events in ' || count(*) ||
        ' places, not in one batch of one stream, from position ' || min("position") || ' on.' AS fault
      FROM (
        SELECT "position", command, lag(command) OVER log IS DISTINCT FROM command
          OR lag(stream_id) OVER log IS DISTINCT FROM stream_id AS begins
        FROM (SELECT "position", stream_id, metadata ->> 'commandId' AS command FROM ordinal.events WHERE "position" <= ${n}) AS e
        WINDOW log AS (ORDER BY "position")
      ) AS runs WHERE begins GROUP BY command HAVING count(*) > 1 OR command IS NULL LIMIT ${limit + 1}`,
    misplaced("The receipt of a keyed command", sql`ordinal.commands`),
    misplaced("A snapshot", sql`ordinal.snapshots`)
  ].map(faults)
}

/** Checkpoints that don't belong to this history, as servers judge them. */
const checkpoints = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const keys = yield* sql<{ readonly name: string; readonly slot: Slot }>`
    SELECT projection AS name, slot FROM ordinal.checkpoints ORDER BY projection, slot`
  const faults: Array<string> = []
  for (const key of keys) {
    const found = yield* Checkpoint.stored(sql, key)
    const problem = found && Checkpoint.problemOf(found)
    if (problem !== undefined) faults.push(`The projection ${key.name} has to be rebuilt: ${problem}.`)
  }
  return faults
})

export const verifyLog = Effect.fnUntraced(function* ({ decoders, faults: limit, onProgress }: Options) {
  const { reads: sql } = yield* Database
  const { logId, position: head } = yield* LogState.read(sql)
  const history = createHash("sha256")
  const faults: Array<string> = []
  let undecoded = 0
  let [last, lastTime] = [0n, ""]

  const look = (row: LogLines.EventRow) => {
    const { position, recordedAt, streamId } = row
    history.update(`${LogLines.eventLine(row)}\n`)
    if (position !== last + 1n) faults.push(`The log lacks positions ${last + 1n} to ${position - 1n}.`)
    if (recordedAt < lastTime)
      faults.push(`The event at position ${position} was recorded before the one in front of it.`)
    ;[last, lastTime] = [position, recordedAt]
    const decode = decoders[StreamId.category(streamId)]
    if (decode === undefined) undecoded += 1
    else {
      try {
        decode({ ...row, data: JSON.parse(row.data) })
      } catch (cause) {
        faults.push(
          `The event at position ${position} (${row.type} of ${streamId}) can't be decoded: ${causeText(cause)}`
        )
      }
    }
  }

  for (let isMore = true; isMore && faults.length <= limit;) {
    const rows = yield* LogLines.events(sql, last, head)
    rows.forEach(look)
    isMore = rows.length > 0
    yield* onProgress(Number(last), Number(head))
  }
  if (last < head && faults.length <= limit)
    faults.push(`The log's head is at ${head}, but its last event is at ${last}.`)
  const [beyond] = yield* sql<{ readonly count: bigint; readonly head: bigint }>`
    SELECT h."position" AS head, (SELECT count(*) FROM ordinal.events e WHERE e."position" > h."position") AS count
    FROM ordinal.log_head h`
  if (beyond !== undefined && beyond.count > 0n) {
    faults.push(
      `There are ${beyond.count} events behind the log's head at ${beyond.head}. If an import was ended, go on with it.`
    )
  }
  for (const check of wholeChecks(sql, head, limit)) faults.push(...(yield* check))
  faults.push(...(yield* checkpoints(sql)))
  return {
    logId,
    events: Number(head),
    history: history.digest("hex"),
    undecoded,
    faults: faults.slice(0, limit),
    hasMore: faults.length > limit
  } satisfies Verified
})
