/**
 * Executes the append statement: entries go in, one outcome per entry comes back. `AppendLane` calls it; it calls the
 * SQL function of `AppendBatchFunction`, which judges the entries. `GroupCommit` encodes entries, to know their size early.
 */
import { type PgClient, PgTypes } from "@effect/sql-pg"
import { Effect, Result } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Entry, Outcome } from "../EventStore.ts"
import type { StreamId } from "../StreamId.ts"

/** The JSON of an encoded entry is made, so that its size is known. */
export interface EncodedEntry {
  readonly entry: Entry
  readonly receipt: string | undefined
  readonly metadata: string
  readonly data: ReadonlyArray<string>
  /** The entry takes about this many bytes on the wire. */
  readonly bytes: number
  /** An entry of the same append and stream was sent before, apart, and not accepted: this one is not accepted either. */
  readonly isAfterLost: boolean
}

const json = (value: unknown): string => JSON.stringify(value) ?? "null"

export const encode = (entry: Entry): EncodedEntry => {
  const receipt = entry.keyed === undefined ? undefined : json(entry.keyed.receipt)
  const metadata = json(entry.metadata)
  const data = entry.events.map((event) => json(event.data))
  let bytes = 200 + (receipt?.length ?? 0)
  for (const text of data) bytes += 150 + text.length + metadata.length
  for (const { streamId } of entry.guards ?? []) bytes += 60 + 2 * streamId.length
  return { entry, receipt, metadata, data, bytes, isAfterLost: false }
}

const statement = `
  SELECT before, recorded_at AS "recordedAt", outcomes
  FROM ordinal.append_batch($1, $2, $3::text[]::uuid[], $4, $5, $6)`

type StoredOutcome =
  | readonly ["a" | "d", version: number, position: string, recordedAt: string, receipt?: unknown]
  | readonly ["c", version: number]
  | readonly ["g", version: number, streamId: StreamId]
  | readonly ["r"]

interface Row {
  readonly before: bigint
  readonly recordedAt: Date
  /** This is null if every entry was accepted. */
  readonly outcomes: ReadonlyArray<StoredOutcome> | null
}

const texts = (values: ReadonlyArray<string>) => Result.getOrThrow(PgTypes.array(values, PgTypes.OID.text))
const integers = (values: ReadonlyArray<number>) => Result.getOrThrow(PgTypes.array(values, PgTypes.OID.int4))

/** Makes the arguments that `AppendBatchFunction` describes, in its order. Entries are numbered from 1. */
const parameters = (batch: ReadonlyArray<EncodedEntry>) => {
  const required = new Map<string, number>()
  const lastOfStream = new Map<string, number>()
  const firstOfCommand = new Map<string, number>()
  const keyed: Array<string> = []
  const events: Array<string> = []
  let inOrder = false

  const entries = batch.map(({ data, entry, isAfterLost, metadata, receipt }, index) => {
    const { commandId, expected, guards = [], streamId } = entry
    const number = index + 1
    const stream = json(streamId)
    const firstEvent = entry.events[0]?.eventId

    const previous = lastOfStream.get(streamId) ?? 0
    const before = batch[previous - 1]?.entry
    if (before === undefined) required.set(streamId, expected)
    else inOrder ||= expected !== before.expected + before.events.length

    const identity = entry.keyed === undefined ? firstEvent : commandId
    const same = identity === undefined ? 0 : (firstOfCommand.get(identity) ?? 0)
    if (identity !== undefined && same === 0) firstOfCommand.set(identity, number)
    inOrder ||= isAfterLost || same > 0 || firstEvent === undefined

    const guarded = guards.map((guard) => json([guard.streamId, guard.version, lastOfStream.get(guard.streamId) ?? 0]))
    lastOfStream.set(streamId, number)

    for (const [offset, { eventId, schemaVersion, type }] of entry.events.entries()) {
      const head = `[${number},${stream},${expected + offset + 1},${json(eventId)},${json(type)},${schemaVersion}`
      events.push(`${head},${data[offset]},${metadata}]`)
    }
    if (entry.keyed !== undefined) keyed.push(commandId)
    const command = entry.keyed === undefined ? "" : `,${json(commandId)},${json(entry.keyed.fingerprint)},${receipt}`
    const judged = `${stream},${expected},${entry.events.length},${json(firstEvent)},${previous},${same},${isAfterLost}`
    return `[${judged},[${guarded.join()}]${command}]`
  })

  for (const { entry } of batch) {
    for (const { streamId, version } of entry.guards ?? []) {
      inOrder ||= lastOfStream.has(streamId) || (required.get(streamId) ?? version) !== version
      required.set(streamId, version)
    }
  }

  return [
    texts([...required.keys()]),
    integers([...required.values()]),
    texts(keyed),
    inOrder,
    `[${events.join()}]`,
    `[${entries.join()}]`
  ]
}

const time = (recordedAt: string): string => new Date(recordedAt).toISOString()

const toOutcome = (outcome: StoredOutcome): Outcome => {
  switch (outcome[0]) {
    case "a": {
      const [, version, position, recordedAt] = outcome
      return { _tag: "Accepted", version, position: BigInt(position), recordedAt: time(recordedAt) }
    }
    case "d": {
      const [, version, position, recordedAt] = outcome
      const stored = { version, position: BigInt(position), recordedAt: time(recordedAt) }
      return outcome.length < 5
        ? { _tag: "Duplicate", ...stored }
        : { _tag: "Duplicate", ...stored, receipt: outcome[4] }
    }
    case "c":
      return { _tag: "Conflict", version: outcome[1] }
    case "g":
      return { _tag: "GuardMoved", version: outcome[1], streamId: outcome[2] }
    case "r":
      return { _tag: "Reused" }
  }
}

const allAccepted = (batch: ReadonlyArray<EncodedEntry>, { before, recordedAt }: Row): ReadonlyArray<Outcome> => {
  const time = recordedAt.toISOString()
  let position = before
  return batch.map(({ entry }) => {
    position += BigInt(entry.events.length)
    return { _tag: "Accepted", version: entry.expected + entry.events.length, position, recordedAt: time }
  })
}

/** Makes the function that executes one autocommit statement: either everything that it accepts is stored, or nothing. */
export const executeOn =
  (sql: PgClient.PgClient) =>
  (batch: ReadonlyArray<EncodedEntry>): Effect.Effect<ReadonlyArray<Outcome>, SqlError> =>
    Effect.suspend(() => sql.unsafe<Row>(statement, parameters(batch))).pipe(
      Effect.map(([row]) => row?.outcomes?.map(toOutcome) ?? (row === undefined ? [] : allAccepted(batch, row)))
    )
