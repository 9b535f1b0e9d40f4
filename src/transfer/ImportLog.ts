/**
 * Puts an exported log into an empty one elsewhere. Ids, times, positions and the log's own id are kept, so it is the same
 * log: tokens, cursors and positions of event streams stay valid, and checkpoints that know the history go on.
 *
 * The head of the log is moved last, with the log's id. Until then nothing can be appended, as the positions are taken, and
 * an import that was ended is gone on with after its last event.
 */
import { Effect, Schema, Stream } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { SqlClient } from "effect/sql"
import { causeText } from "../database/CauseText.ts"
import { Database } from "../database/Database.ts"
import { blame, sqlState } from "../database/SqlFailure.ts"
import { batches, Contents, contentsOf, type Header, LogFileUnusable } from "./LogFile.ts"
import * as LogLines from "./LogLines.ts"
import * as LogState from "./LogState.ts"

/** The log can't take what is to be imported; somebody has to act on `problem`. */
export class NotImported extends Schema.TaggedError<NotImported>()("NotImported", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

const foreign = "Give it an empty database, or an empty schema by DATABASE_SCHEMA."

/** Tells how many events of the file are stored; "all" if the import has ended. */
const stored = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { events, header, lastEvent }: Contents) {
  const { logId, position } = yield* LogState.read(sql)
  const [row] = yield* sql<{ readonly last: bigint }>`SELECT coalesce(max("position"), 0) AS last FROM ordinal.events`
  const last = row?.last ?? 0n
  if (position === 0n && last <= BigInt(events)) return Number(last)
  const [newest] = last === BigInt(events) ? yield* LogLines.events(sql, last - 1n, last) : []
  if (logId === header?.log && newest !== undefined && LogLines.eventLine(newest) === lastEvent) return "all"
  return yield* new NotImported({ problem: `The log is not empty: it has ${last} events. ${foreign}` })
})

/** Moves the head, with which the log is what was exported. */
const conclude = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { events, log, shipRequires }: Header) {
  const moved = yield* sql`UPDATE ordinal.log_head SET log_id = ${log}::uuid, "position" = ${events}::bigint,
      recorded_at = coalesce((SELECT recorded_at FROM ordinal.events WHERE "position" = ${events}::bigint), recorded_at)
    WHERE singleton AND "position" = 0 AND (SELECT count(*) FROM ordinal.events) = ${events}::bigint RETURNING 1`
  if (moved.length === 0) {
    return yield* new NotImported({ problem: `Something else was stored in the log during the import. ${foreign}` })
  }
  // Views that a server made of the empty log know its former id.
  yield* sql`UPDATE ordinal.checkpoints SET log_id = ${log}::uuid`
  if (shipRequires === null) return
  yield* sql`INSERT INTO ordinal.order_policies (founding_ship_requires) VALUES (${shipRequires})
    ON CONFLICT (singleton) DO UPDATE SET founding_ship_requires = excluded.founding_ship_requires`
})

/** Says what failed; what may pass by itself is left to whoever knows the database. */
const explain = (error: SqlError): SqlError | NotImported => {
  const state = sqlState(error)
  if (state === "42501") {
    return new NotImported({
      problem: `This role may not import (${causeText(error)}). Use the DATABASE_URL of the schema's owner.`
    })
  }
  if (state === "23505") {
    return new NotImported({ problem: `Somebody else stores events in this log (${causeText(error)}). ${foreign}` })
  }
  if (blame(error) === "passing") return error
  return new NotImported({ problem: `The database refuses what is to be imported: ${causeText(error)}.` })
}

/** Imports the file into the database, whose schema is up to date. */
export const importLog = Effect.fnUntraced(
  function* (path: string, onProgress: LogState.OnProgress) {
    const { projections: sql } = yield* Database
    // Nothing is stored of a file that is not whole.
    const contents = yield* contentsOf(path)
    const { events: all, header, receipts } = contents
    if (header === undefined || !contents.isWhole) {
      const problem = `${path} is not whole. Run \`ordinal log export\` with this file again, which goes on with it.`
      return yield* new LogFileUnusable({ problem })
    }
    const found = yield* LogState.unhurried(sql, stored(sql, contents))
    const known = found === "all" ? all : found
    const imported: LogState.Transferred = { logId: header.log, events: all, receipts, resumedAt: known }
    if (found === "all") return imported

    let read = 0
    const store = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
      const [before, upTo] = [read, (read += lines.length)]
      if (before < known && known <= upTo) {
        const [row] = yield* LogLines.events(sql, BigInt(known - 1), BigInt(known))
        if (row === undefined || LogLines.eventLine(row) !== lines[known - before - 1]) {
          return yield* new NotImported({
            problem: `The log has ${known} events of an import of another file. Go on with that one. ${foreign}`
          })
        }
      }
      const missing = lines.slice(Math.max(0, known - before))
      if (missing.length === 0) return
      yield* LogState.unhurried(sql, LogLines.storeEvents(sql, missing))
      yield* onProgress(upTo, all)
    })
    yield* Stream.runForEach(batches(path, new Contents()), ({ kind, lines }) =>
      kind === "event" ? store(lines) : Effect.asVoid(LogState.unhurried(sql, LogLines.storeReceipts(sql, lines)))
    )
    yield* LogState.unhurried(sql, conclude(sql, header))
    // Nobody else may do so soon: the embedded database has no autovacuum.
    yield* LogState.unhurried(sql, sql`ANALYZE ordinal.events`)
    return imported
  },
  Effect.catchIf(isSqlError, (error) => Effect.fail(explain(error)))
)
