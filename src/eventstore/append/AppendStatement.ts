/** The append statement: entries in, one outcome per entry back. The judging itself is in the database's function. */
import { type PgClient, PgTypes } from "@effect/sql-pg"
import { Effect, Result } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Entry, Outcome } from "../EventStore.ts"

/** An entry with its JSON made, so that its size is known before it waits. */
export interface EncodedEntry {
  readonly entry: Entry
  readonly receipt: string | null
  readonly metadata: string
  readonly data: ReadonlyArray<string>
  /** About what it takes on the wire. */
  readonly bytes: number
}

const json = (value: unknown): string => JSON.stringify(value) ?? "null"

export const encode = (entry: Entry): EncodedEntry => {
  const receipt = entry.keyed === undefined ? null : json(entry.keyed.receipt)
  const metadata = json(entry.metadata)
  const data = entry.events.map((event) => json(event.data))
  let bytes = 200 + (receipt?.length ?? 0)
  for (const text of data) bytes += 150 + text.length + metadata.length
  return { entry, receipt, metadata, data, bytes }
}

const statement = `
  SELECT outcome, version, "position", recorded_at AS "recordedAt", receipt
  FROM ordinal.append_entries(
    $1, $2, $3, $4, $5, $6, $7::text[]::uuid[], $8, $9, $10::text[]::uuid[], $11::text[]::uuid[],
    $12, $13, $14, $15::text[]::uuid[], $16, $17, $18, $19)`

interface Row {
  readonly outcome: string
  readonly version: number
  readonly position: bigint
  readonly recordedAt: Date
  readonly receipt: unknown
}

const texts = (values: ReadonlyArray<string | null>) => Result.getOrThrow(PgTypes.array(values, PgTypes.OID.text))
const integers = (values: ReadonlyArray<number>) => Result.getOrThrow(PgTypes.array(values, PgTypes.OID.int4))

const parameters = (entries: ReadonlyArray<EncodedEntry>) => {
  const streams: Array<string> = []
  const expected: Array<number> = []
  const counts: Array<number> = []
  const ends: Array<number> = []
  const previous: Array<number> = []
  const same: Array<number> = []
  const commands: Array<string | null> = []
  const fingerprints: Array<string | null> = []
  const receipts: Array<string | null> = []
  const firsts: Array<string | null> = []
  const lasts: Array<string | null> = []
  const eventEntries: Array<number> = []
  const eventStreams: Array<string> = []
  const eventVersions: Array<number> = []
  const eventIds: Array<string> = []
  const types: Array<string> = []
  const schemaVersions: Array<number> = []
  const data: Array<string> = []
  const metadata: Array<string> = []
  const lastOfStream = new Map<string, number>()
  const firstOfCommand = new Map<string, number>()
  for (const encoded of entries) {
    const { entry } = encoded
    const number = streams.length + 1
    previous.push(lastOfStream.get(entry.streamId) ?? 0)
    lastOfStream.set(entry.streamId, number)
    const identity = entry.keyed === undefined ? entry.events[0]?.eventId : entry.commandId
    const earlier = identity === undefined ? undefined : firstOfCommand.get(identity)
    same.push(earlier ?? 0)
    if (identity !== undefined && earlier === undefined) firstOfCommand.set(identity, number)
    streams.push(entry.streamId)
    expected.push(entry.expected)
    counts.push(entry.events.length)
    commands.push(entry.keyed === undefined ? null : entry.commandId)
    fingerprints.push(entry.keyed?.fingerprint ?? null)
    receipts.push(encoded.receipt)
    firsts.push(entry.events[0]?.eventId ?? null)
    lasts.push(entry.events.at(-1)?.eventId ?? null)
    for (const [index, event] of entry.events.entries()) {
      eventEntries.push(number)
      eventStreams.push(entry.streamId)
      eventVersions.push(entry.expected + index + 1)
      eventIds.push(event.eventId)
      types.push(event.type)
      schemaVersions.push(event.schemaVersion)
      data.push(encoded.data[index] ?? "null")
      metadata.push(encoded.metadata)
    }
    ends.push(eventIds.length)
  }
  return [
    texts(streams),
    integers(expected),
    integers(counts),
    integers(ends),
    integers(previous),
    integers(same),
    texts(commands),
    texts(fingerprints),
    texts(receipts),
    texts(firsts),
    texts(lasts),
    integers(eventEntries),
    texts(eventStreams),
    integers(eventVersions),
    texts(eventIds),
    texts(types),
    integers(schemaVersions),
    texts(data),
    texts(metadata)
  ]
}

const outcome = (row: Row): Outcome => {
  switch (row.outcome) {
    case "a":
      return {
        _tag: "Accepted",
        version: row.version,
        position: row.position,
        recordedAt: row.recordedAt.toISOString()
      }
    case "d": {
      const stored = { version: row.version, position: row.position, recordedAt: row.recordedAt.toISOString() }
      return row.receipt === null
        ? { _tag: "Duplicate", ...stored }
        : { _tag: "Duplicate", ...stored, receipt: row.receipt }
    }
    case "c":
      return { _tag: "Conflict", version: row.version }
    default:
      return { _tag: "Reused" }
  }
}

/** One autocommit statement; either all that it accepts is stored, or nothing. */
export const execute = (
  sql: PgClient.PgClient,
  entries: ReadonlyArray<EncodedEntry>
): Effect.Effect<ReadonlyArray<Outcome>, SqlError> =>
  Effect.suspend(() => Effect.map(sql.unsafe<Row>(statement, parameters(entries)), (rows) => rows.map(outcome)))
