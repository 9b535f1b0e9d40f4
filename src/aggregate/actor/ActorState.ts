/**
 * The state that an actor has in memory: the fold of events that the event store has confirmed, and of nothing else. One
 * phase says how it stands to the log. (Phases and snapshots as in Akka and Pekko Persistence.)
 *
 * A long stream is loaded from a usable snapshot; every so many events a new one is saved in the background.
 */
import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { Aggregate, SnapshotPolicy } from "../Aggregate.ts"
import { canonicalJson } from "../CanonicalJson.ts"
import type { Snapshot } from "../Snapshots.ts"
import type { ActorContext } from "./ActorContext.ts"
import type { Stored } from "./Drain.ts"

const pageSize = 500

/** Bounds of today do not judge a state that was valid when it came about. */
const readable = { disableChecks: true }

/**
 * - `Fresh`: nothing was read. The id was made just now, so the stream is taken to be empty. The first stored append
 *   proves it (→ `Current`); a lost one disproves it (→ `Behind`).
 * - `Current`: the state is the log's as far as this process knows. Another process may append at any time, so an answer
 *   is checked before it leaves.
 * - `Behind`: the log holds, or may hold, events up to `version` that the state lacks: at the start, after a lost race, a
 *   keyed duplicate or an unknown outcome, and when the tail shows what another process has appended. `refresh` reads
 *   them, or this actor's own append turns out to be what was seen (→ `Current`).
 * - `Spoiled`: a defect may have changed the state itself. `refresh` loads it from the beginning (→ `Current`).
 */
export type Phase =
  | { readonly _tag: "Fresh" }
  | { readonly _tag: "Current" }
  | { readonly _tag: "Behind"; readonly version: number }
  | { readonly _tag: "Spoiled" }

export interface ActorState<State, Event> {
  readonly state: State
  readonly version: number
  /** Position of the last event; 0 if there is none. */
  readonly position: bigint
  /** Id of the last event; undefined if there is none. */
  readonly eventId: string | undefined
  readonly recordedAt: string
  readonly phase: Phase
  /** Loads the whole stream, or the snapshot and what follows it. */
  readonly load: Effect.Effect<void, DatabaseUnavailable>
  /** Brings the state up to date: reads the events that a `Behind` state lacks, and loads a `Spoiled` state anew. */
  readonly refresh: Effect.Effect<void, DatabaseUnavailable>
  /**
   * Notes that the state lacks events up to `version`, which the log holds; without `version`, notes that the log may
   * hold such events.
   */
  fallBehind(version?: number): void
  /** Notes that a defect may have left anything in the state. */
  spoil(): void
  /** Folds events that the event store has just stored; `stored` names the position of the last one. */
  advance(events: ReadonlyArray<Event>, stored: Stored): void
}

const fingerprints = new WeakMap<object, string>()

/** Names the state's schema and its fold. A snapshot with another fingerprint was made by another program. */
const fingerprintOf = <State>(policy: SnapshotPolicy<State>): string => {
  const known = fingerprints.get(policy)
  if (known !== undefined) return known
  const text = canonicalJson([policy.foldVersion, Schema.toJsonSchemaDocument(policy.schema)])
  const made = createHash("sha256").update(text).digest("base64url")
  fingerprints.set(policy, made)
  return made
}

export const make = <State, Command, Event, Rejection>(
  { codec, decider, snapshots: policy }: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  { background, metrics, snapshots, store }: ActorContext,
  options: { readonly fresh: boolean }
): ActorState<State, Event> => {
  const blank = {
    state: decider.initialState,
    version: 0,
    position: 0n,
    eventId: undefined as string | undefined,
    recordedAt: "1970-01-01T00:00:00.000Z"
  }
  const memory: typeof blank & { phase: Phase } = {
    ...blank,
    phase: options.fresh ? { _tag: "Fresh" } : { _tag: "Behind", version: 1 }
  }
  let snapshotVersion = 0

  const apply = (event: Event, at: Stored) => {
    memory.state = decider.evolve(memory.state, event, at.recordedAt)
    memory.version += 1
    memory.position = at.position
    memory.eventId = at.eventId
    memory.recordedAt = at.recordedAt
  }

  const readPage = (limit: number) =>
    Effect.map(store.readStream(streamId, { after: memory.version, limit }), (page) => {
      for (const event of page) apply(codec.decode(event), event)
      return page.length
    })

  const catchUp = Effect.gen(function* () {
    while ((yield* readPage(pageSize)) === pageSize) yield* Effect.yieldNow
    memory.phase = { _tag: "Current" }
  })

  /** Takes the state from a snapshot, if this program made it from this very stream; otherwise says so and ignores it. */
  const restore = Effect.fnUntraced(
    function* (policy: SnapshotPolicy<State>, snapshot: Snapshot) {
      if (snapshot.version <= memory.version) return
      const [event] = yield* store.readStream(streamId, { after: snapshot.version - 1, limit: 1 })
      if (snapshot.fingerprint !== fingerprintOf(policy) || event?.position !== snapshot.position) {
        return yield* Effect.logWarning(
          "A snapshot was made by another program or from another log; it is ignored and the stream is replayed."
        )
      }
      const { position, recordedAt, version } = snapshot
      const state = yield* Schema.decodeUnknownEffect(policy.schema, readable)(snapshot.state)
      Object.assign(memory, { state, version, position, recordedAt, eventId: event.eventId })
      snapshotVersion = version
    },
    Effect.catchTag("SchemaError", (error) =>
      Effect.logWarning("A snapshot can't be decoded; it is ignored and the stream is replayed.", error)
    )
  )

  const load = Effect.gen(function* () {
    Object.assign(memory, blank)
    snapshotVersion = 0
    // A stream that ends within its first events has no snapshot, or none that is worth a look-up.
    const first = Math.min(policy?.every ?? pageSize, pageSize)
    if ((yield* readPage(first)) === first) {
      const snapshot = policy && (yield* snapshots.load(streamId))
      if (policy !== undefined && snapshot !== undefined) yield* restore(policy, snapshot)
      yield* catchUp
    }
    memory.phase = { _tag: "Current" }
    metrics.activated(snapshotVersion > 0 ? "snapshot" : "log")
  }).pipe(Effect.annotateLogs({ streamId }))

  const refresh = Effect.suspend(() => {
    switch (memory.phase._tag) {
      case "Fresh":
      case "Current":
        return Effect.void
      case "Behind":
        return catchUp
      case "Spoiled":
        return load
    }
  })

  const saveIfDue = () => {
    if (policy === undefined || memory.version - snapshotVersion < policy.every) return
    snapshotVersion = memory.version
    const { position, recordedAt, state, version } = memory
    const save = Effect.gen(function* () {
      const encoded = yield* Schema.encodeEffect(policy.schema, readable)(state)
      const fingerprint = fingerprintOf(policy)
      yield* snapshots.save(streamId, { version, position, recordedAt, fingerprint, state: encoded })
    })
    background(
      Effect.catchCause(save, (cause) =>
        Effect.logWarning("A snapshot can't be saved; the next one is tried when it is due.", cause)
      ).pipe(Effect.annotateLogs({ streamId }))
    )
  }

  return Object.assign(memory, {
    load,
    refresh,
    fallBehind: (version = memory.version + 1) => {
      const { phase } = memory
      if (phase._tag === "Spoiled" || version <= memory.version) return
      memory.phase = { _tag: "Behind", version: phase._tag === "Behind" ? Math.max(version, phase.version) : version }
    },
    spoil: () => {
      memory.phase = { _tag: "Spoiled" }
    },
    advance: (events: ReadonlyArray<Event>, stored: Stored) => {
      const first = stored.position - BigInt(events.length - 1)
      events.forEach((event, index) => apply(event, { ...stored, position: first + BigInt(index) }))
      const { phase } = memory
      if (phase._tag === "Fresh" || (phase._tag === "Behind" && phase.version <= memory.version)) {
        memory.phase = { _tag: "Current" }
      }
      saveIfDue()
    }
  })
}
