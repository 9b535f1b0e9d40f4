/**
 * Models `EventStore.append` in its simplest form, and makes random batches on which a store is compared with the model
 * (stateful property testing, as in QuickCheck).
 */
import { Effect, Random } from "effect"
import type { Entry, Guard, Outcome } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"

/** The model gives outcomes without time and receipt, which it does not know. */
export type ModelOutcome = readonly [
  tag: Outcome["_tag"],
  version?: number | undefined,
  /** The position, or the guarded stream that has moved. */
  rest?: bigint | string | undefined
]

/** Reduces the outcome of a store to what the model knows. */
export const toModelOutcome = (outcome: Outcome): ModelOutcome => {
  switch (outcome._tag) {
    case "Accepted":
    case "Duplicate":
      return [outcome._tag, outcome.version, outcome.position]
    case "Conflict":
      return [outcome._tag, outcome.version]
    case "GuardMoved":
      return [outcome._tag, outcome.version, outcome.streamId]
    case "Reused":
    case "Refused":
      return [outcome._tag]
  }
}

/** Makes a model of a log whose last position is `head` and in which the streams of the entries to come are empty. */
export const make = (head: bigint) => {
  const versions = new Map<string, number>()
  const positions = new Map<string, bigint>()
  const commands = new Map<string, { readonly outcome: ModelOutcome; readonly fingerprint: string | undefined }>()
  const stored: Array<{ readonly streamId: string; readonly version: number; readonly eventId: string }> = []

  const appendEntry = (entry: Entry, isBroken: boolean): ModelOutcome => {
    const identity = entry.keyed === undefined ? entry.events[0]?.eventId : entry.commandId
    const fingerprint = entry.keyed?.fingerprint
    const known = identity === undefined ? undefined : commands.get(identity)
    if (known !== undefined && known.fingerprint !== fingerprint) return ["Reused"]
    if (known !== undefined) return ["Duplicate", known.outcome[1], known.outcome[2]]
    const version = versions.get(entry.streamId) ?? 0
    if (isBroken || version !== entry.expected) return ["Conflict", version]
    const moved = entry.guards?.find((guard) => guard.version !== (versions.get(guard.streamId) ?? 0))
    if (moved !== undefined) return ["GuardMoved", versions.get(moved.streamId) ?? 0, moved.streamId]
    for (const [index, { eventId }] of entry.events.entries()) {
      stored.push({ streamId: entry.streamId, version: version + index + 1, eventId })
      positions.set(entry.streamId, head + BigInt(stored.length))
    }
    versions.set(entry.streamId, version + entry.events.length)
    const outcome: ModelOutcome = ["Accepted", versions.get(entry.streamId), positions.get(entry.streamId) ?? 0n]
    if (identity !== undefined) commands.set(identity, { outcome, fingerprint })
    return outcome
  }

  return {
    /** Judges the entries of one append and stores those that are accepted. */
    append: (entries: ReadonlyArray<Entry>): ReadonlyArray<ModelOutcome> => {
      const broken = new Set<string>()
      return entries.map((entry) => {
        const outcome = appendEntry(entry, broken.has(entry.streamId))
        if (outcome[0] !== "Accepted") broken.add(entry.streamId)
        return outcome
      })
    },
    /** Returns the version of a stream, 0 if it is empty. */
    version: (streamId: string): number => versions.get(streamId) ?? 0,
    /** Lists all events in the order of their positions; the first one is at `head + 1`. */
    stored
  }
}

/**
 * Makes a generator of batches over a few streams and a few command ids, so that repeats, conflicts, chains of
 * entries and moved guards all occur. The generator takes a function that returns the committed version of a stream. `Random.withSeed`
 * makes the batches repeatable.
 */
export const randomBatches = Effect.map(Random.Random, (random) => {
  const below = (count: number): number => Math.floor(random.nextDoubleUnsafe() * count)
  const uuid = (): string => {
    const hex = Array.from({ length: 32 }, () => below(16).toString(16)).join("")
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  const run = uuid().slice(0, 8)
  const streams = [1, 2, 3, 4].map((number) => StreamId.make("model", `${run}-${number}`))
  const commandIds = Array.from({ length: 6 }, uuid)
  const sent: Array<Entry> = []

  const guard = (versionOf: (streamId: string) => number): Guard => {
    const streamId = streams[below(streams.length)]!
    return { streamId, version: below(6) === 0 ? below(4) : versionOf(streamId) }
  }

  const entry = (versionOf: (streamId: string) => number): Entry => {
    const old = sent[below(sent.length + 1)]
    if (old !== undefined && below(6) === 0) return old
    const streamId = streams[below(streams.length)]!
    const isKeyed = below(3) === 0
    const commandId = isKeyed ? commandIds[below(commandIds.length)]! : uuid()
    return {
      streamId,
      expected: below(5) === 0 ? below(4) : versionOf(streamId),
      commandId,
      ...(isKeyed ? { keyed: { fingerprint: below(4) === 0 ? "other" : "same", receipt: { by: run } } } : {}),
      events: Array.from({ length: below(4) }, () => ({
        eventId: uuid(),
        type: "Happened",
        schemaVersion: 1,
        data: { number: below(1_000) }
      })),
      metadata: { commandId, correlationId: commandId, causationId: commandId },
      ...(below(3) === 0 ? { guards: Array.from({ length: 1 + below(2) }, () => guard(versionOf)) } : {})
    }
  }

  return (committed: (streamId: string) => number): ReadonlyArray<Entry> => {
    if (sent.length > 8 && below(8) === 0) return sent.slice(below(4), 4 + below(4))
    /** Most entries of a stream are chained on the one before them, as those of an actor are. */
    const chained = new Map<string, number>()
    return Array.from({ length: 1 + below(8) }, () => {
      const made = entry((streamId) => chained.get(streamId) ?? committed(streamId))
      chained.set(made.streamId, made.expected + made.events.length)
      sent.push(made)
      return made
    })
  }
})
