/**
 * Executes the append statement: entries go in, one outcome per entry comes back. `AppendLane` calls it; it calls the
 * SQL function of `AppendFunction`, which judges the entries. `GroupCommit` encodes entries, to know their size early.
 */
import { type PgClient, PgTypes } from "@effect/sql-pg"
import { Effect, Result } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Entry, Outcome } from "../EventStore.ts"

/** The JSON of an encoded entry is made, so that its size is known. */
export interface EncodedEntry {
  readonly entry: Entry
  readonly receipt: string | null
  readonly metadata: string
  readonly data: ReadonlyArray<string>
  /** The entry takes about this many bytes on the wire. */
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

/** Links each entry to earlier ones of the batch by their numbers, which count from 1; 0 means that there is none. */
const link = (entries: ReadonlyArray<EncodedEntry>) => {
  const lastOfStream = new Map<string, number>()
  const firstOfCommand = new Map<string, number>()
  let end = 0
  return entries.map(({ entry }, index) => {
    const number = index + 1
    const previous = lastOfStream.get(entry.streamId) ?? 0
    lastOfStream.set(entry.streamId, number)
    const identity = entry.keyed === undefined ? entry.events[0]?.eventId : entry.commandId
    const same = identity === undefined ? 0 : (firstOfCommand.get(identity) ?? 0)
    if (identity !== undefined && same === 0) firstOfCommand.set(identity, number)
    end += entry.events.length
    return { previous, same, end }
  })
}

/** Makes the arrays that `AppendFunction` describes, in its order. */
const parameters = (encoded: ReadonlyArray<EncodedEntry>) => {
  const entries = encoded.map(({ entry }) => entry)
  const links = link(encoded)
  const events = encoded.flatMap(({ data, entry, metadata }, index) =>
    entry.events.map(({ eventId, schemaVersion, type }, eventIndex) => ({
      entry: index + 1,
      streamId: entry.streamId,
      version: entry.expected + eventIndex + 1,
      eventId,
      type,
      schemaVersion,
      data: data[eventIndex] ?? "null",
      metadata
    }))
  )
  return [
    texts(entries.map((entry) => entry.streamId)),
    integers(entries.map((entry) => entry.expected)),
    integers(entries.map((entry) => entry.events.length)),
    integers(links.map((link) => link.end)),
    integers(links.map((link) => link.previous)),
    integers(links.map((link) => link.same)),
    texts(entries.map((entry) => (entry.keyed === undefined ? null : entry.commandId))),
    texts(entries.map((entry) => entry.keyed?.fingerprint ?? null)),
    texts(encoded.map((entry) => entry.receipt)),
    texts(entries.map((entry) => entry.events[0]?.eventId ?? null)),
    texts(entries.map((entry) => entry.events.at(-1)?.eventId ?? null)),
    integers(events.map((event) => event.entry)),
    texts(events.map((event) => event.streamId)),
    integers(events.map((event) => event.version)),
    texts(events.map((event) => event.eventId)),
    texts(events.map((event) => event.type)),
    integers(events.map((event) => event.schemaVersion)),
    texts(events.map((event) => event.data)),
    texts(events.map((event) => event.metadata))
  ]
}

const toOutcome = ({ outcome, position, receipt, recordedAt, version }: Row): Outcome => {
  switch (outcome) {
    case "a":
      return { _tag: "Accepted", version, position, recordedAt: recordedAt.toISOString() }
    case "d": {
      const stored = { version, position, recordedAt: recordedAt.toISOString() }
      return receipt === null ? { _tag: "Duplicate", ...stored } : { _tag: "Duplicate", ...stored, receipt }
    }
    case "c":
      return { _tag: "Conflict", version }
    default:
      return { _tag: "Reused" }
  }
}

/** Executes one autocommit statement: either everything that it accepts is stored, or nothing. */
export const execute = (
  sql: PgClient.PgClient,
  entries: ReadonlyArray<EncodedEntry>
): Effect.Effect<ReadonlyArray<Outcome>, SqlError> =>
  Effect.suspend(() => Effect.map(sql.unsafe<Row>(statement, parameters(entries)), (rows) => rows.map(toOutcome)))
