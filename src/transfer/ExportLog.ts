/**
 * Writes the log to a file, as it was when the export began; others may append meanwhile. A file whose export was ended,
 * by whatever, is gone on with after its last whole line, if the log still has the event there.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { Database } from "../database/Database.ts"
import { type Contents, contentsOf, type Header, LogFileUnusable, unusable } from "./LogFile.ts"
import * as LogLines from "./LogLines.ts"
import * as LogState from "./LogState.ts"

/** Tells whether the log has what is in the file. */
const isOf = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { logId, position }: LogState.LogState,
  contents: Contents
) {
  const { events, header, lastEvent } = contents
  if (header === undefined || (header.log === logId && events === 0)) return true
  if (header.log !== logId || header.events > Number(position)) return false
  const [row] = yield* LogLines.events(sql, BigInt(events - 1), BigInt(events))
  return row !== undefined && LogLines.eventLine(row) === lastEvent
})

/** The file may hold customers' names and addresses, so only its owner may read it. */
const opened = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => open(path, constants.O_RDWR | constants.O_CREAT, 0o600),
      catch: unusable(path)
    }),
    (file) => Effect.promise(() => file.close())
  )

/** Appends lines to the file, and counts them. */
const writer = (path: string, file: FileHandle, contents: Contents) => {
  const attempt = (run: () => Promise<unknown>) => Effect.tryPromise({ try: run, catch: unusable(path) })
  return {
    lines: (kind: Parameters<Contents["add"]>[0], lines: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        const at = contents.bytes
        for (const line of lines) contents.add(kind, line)
        const text = Buffer.from(lines.map((line) => `${line}\n`).join(""))
        return attempt(() => file.write(text, 0, text.length, at))
      }),
    truncate: attempt(() => file.truncate(contents.bytes)),
    sync: attempt(() => file.sync())
  }
}

const transferred = ({ events, header, receipts }: Contents, resumedAt: number): LogState.Transferred => ({
  logId: header?.log ?? "",
  events,
  receipts,
  resumedAt
})

export const exportLog = Effect.fnUntraced(function* (path: string, onProgress: LogState.OnProgress) {
  const { reads: sql } = yield* Database
  const log = yield* LogState.read(sql)
  const file = yield* opened(path)
  const contents = yield* contentsOf(path)
  const refuse = (problem: string) => new LogFileUnusable({ problem: `${path} ${problem}` })
  const isKnown = yield* isOf(sql, log, contents)
  if (contents.isWhole) {
    // Whoever was killed at the very end has ended.
    if (isKnown && contents.events === Number(log.position)) return transferred(contents, contents.events)
    return yield* refuse(`is a whole export of ${contents.events} events already. Name a new file.`)
  }
  if (!isKnown) {
    return yield* refuse(
      "was begun from another log, or from history that this log has lost. Remove the file, or name a new one."
    )
  }
  const write = writer(path, file, contents)
  yield* write.truncate
  if (contents.header === undefined) {
    const header: Header = { log: log.logId, format: 1, events: Number(log.position), shipRequires: log.shipRequires }
    contents.header = header
    yield* write.lines("header", [JSON.stringify({ header })])
  }
  const { events: all } = contents.header
  const resumedAt = contents.events
  while (contents.events < all) {
    const rows = yield* LogLines.events(sql, BigInt(contents.events), BigInt(all))
    if (rows[0]?.position !== BigInt(contents.events + 1)) {
      const missing = `The log has no event at position ${contents.events + 1}, although it has ${all}.`
      return yield* new LogFileUnusable({ problem: `${missing} \`ordinal log verify\` lists its faults.` })
    }
    yield* write.lines("event", rows.map(LogLines.eventLine))
    yield* onProgress(contents.events, all)
  }
  for (;;) {
    const page = yield* LogLines.receipts(sql, contents.lastCommand ?? LogLines.noCommand, BigInt(all))
    const last = page.at(-1)
    if (last === undefined) break
    contents.lastCommand = last.commandId
    yield* write.lines(
      "receipt",
      page.map(({ line }) => line)
    )
  }
  yield* write.lines("end", [contents.endLine()])
  yield* write.sync
  return transferred(contents, resumedAt)
}, Effect.scoped)
