/** The log's judgement in its simplest form, and random batches to compare an adapter with it. */
import type { Entry } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"

/** An outcome without what only the log can know: the time. */
export type Verdict = readonly [tag: string, version?: number | undefined, position?: bigint | undefined]

export const makeModel = (head: bigint) => {
  const versions = new Map<string, number>()
  const positions = new Map<string, bigint>()
  const remembered = new Map<string, { readonly verdict: Verdict; readonly fingerprint?: string }>()
  const stored: Array<{ readonly streamId: string; readonly version: number; readonly eventId: string }> = []

  const judge = (entry: Entry, broken: Set<string>): Verdict => {
    const identity = entry.keyed === undefined ? entry.events[0]?.eventId : entry.commandId
    const known = identity === undefined ? undefined : remembered.get(identity)
    if (known !== undefined && known.fingerprint !== entry.keyed?.fingerprint) return ["Reused"]
    if (known !== undefined) return ["Duplicate", known.verdict[1], known.verdict[2]]
    const version = versions.get(entry.streamId) ?? 0
    if (broken.has(entry.streamId) || version !== entry.expected) return ["Conflict", version]
    for (const [index, { eventId }] of entry.events.entries()) {
      stored.push({ streamId: entry.streamId, version: version + index + 1, eventId })
      positions.set(entry.streamId, head + BigInt(stored.length))
    }
    versions.set(entry.streamId, version + entry.events.length)
    const verdict: Verdict = ["Accepted", versions.get(entry.streamId), positions.get(entry.streamId) ?? 0n]
    const fingerprint = entry.keyed?.fingerprint
    if (identity !== undefined)
      remembered.set(identity, { verdict, ...(fingerprint === undefined ? {} : { fingerprint }) })
    return verdict
  }

  return {
    append: (entries: ReadonlyArray<Entry>): ReadonlyArray<Verdict> => {
      const broken = new Set<string>()
      return entries.map((entry) => {
        const verdict = judge(entry, broken)
        if (verdict[0] !== "Accepted") broken.add(entry.streamId)
        return verdict
      })
    },
    version: (streamId: string): number => versions.get(streamId) ?? 0,
    stored
  }
}

/** Deterministic numbers from a seed: `next(n)` is in 0..n-1. */
export const makeRandom = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const uuid = (random: (below: number) => number): string => {
  const hex = Array.from({ length: 32 }, () => random(16).toString(16)).join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** A generator of batches over few streams and few command ids, so that everything that can meet does. */
export const makeBatches = (seed: number) => {
  const random = makeRandom(seed)
  const run = uuid(random).slice(0, 8)
  const streams = [1, 2, 3, 4].map((number) => StreamId.make("model", `${run}-${number}`))
  const commandIds = Array.from({ length: 6 }, () => uuid(random))
  const sent: Array<Entry> = []

  const entry = (versionOf: (streamId: string) => number): Entry => {
    const old = sent[random(sent.length + 1)]
    if (old !== undefined && random(6) === 0) return old
    const streamId = streams[random(streams.length)] ?? streams[0]!
    const keyed = random(3) === 0
    const commandId = keyed ? (commandIds[random(commandIds.length)] ?? uuid(random)) : uuid(random)
    return {
      streamId,
      expected: random(5) === 0 ? random(4) : versionOf(streamId),
      commandId,
      ...(keyed ? { keyed: { fingerprint: random(4) === 0 ? "other" : "same", receipt: { by: run } } } : {}),
      events: Array.from({ length: random(4) }, () => ({
        eventId: uuid(random),
        type: "Happened",
        schemaVersion: 1,
        data: { number: random(1_000) }
      })),
      metadata: { commandId, correlationId: commandId, causationId: commandId }
    }
  }

  /** `version` is the committed one; entries of the same stream are mostly chained on each other. */
  return (version: (streamId: string) => number): ReadonlyArray<Entry> => {
    if (sent.length > 8 && random(8) === 0) return sent.slice(random(4), 4 + random(4))
    const chained = new Map<string, number>()
    return Array.from({ length: 1 + random(8) }, () => {
      const made = entry((streamId) => chained.get(streamId) ?? version(streamId))
      chained.set(made.streamId, made.expected + made.events.length)
      sent.push(made)
      return made
    })
  }
}
