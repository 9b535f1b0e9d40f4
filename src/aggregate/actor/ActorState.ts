/**
 * The state that an actor has in memory: the fold of events that the event store has confirmed, and of nothing else. One
 * phase says how it stands to the log. (Phases and snapshots as in Akka and Pekko Persistence.)
 *
 * A long stream is loaded from a usable snapshot; every so many events a new one is saved in the background. There are as
 * many of these as residents, so this is a small record, and its methods are functions of its class.
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

const epoch = "1970-01-01T00:00:00.000Z"

const fresh: Phase = { _tag: "Fresh" }
const current: Phase = { _tag: "Current" }
const unread: Phase = { _tag: "Behind", version: 1 }
const spoiled: Phase = { _tag: "Spoiled" }

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

export class ActorState<State, Command, Event, Rejection> {
  readonly aggregate: Aggregate<State, Command, Event, Rejection>
  readonly streamId: StreamId
  readonly context: ActorContext
  state: State
  version = 0
  /** Position of the last event; 0 if there is none. */
  position = 0n
  /** Id of the last event; undefined if there is none. */
  eventId: string | undefined = undefined
  recordedAt = epoch
  phase: Phase
  /** The version of the last snapshot that was loaded or made; 0 if there is none. */
  snapshotVersion = 0

  constructor(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    streamId: StreamId,
    context: ActorContext,
    isFresh: boolean
  ) {
    this.aggregate = aggregate
    this.streamId = streamId
    this.context = context
    this.state = aggregate.decider.initialState
    this.phase = isFresh ? fresh : unread
  }

  /** True if the state lacks events of the log, or may not be trusted, so that nothing may be decided on it. */
  get needsRefresh(): boolean {
    return this.phase._tag === "Behind" || this.phase._tag === "Spoiled"
  }

  /** Brings the state up to date: reads the events that a `Behind` state lacks, and loads a `Spoiled` state anew. */
  refresh(): Effect.Effect<void, DatabaseUnavailable> {
    return this.phase._tag === "Spoiled" ? this.load() : this.needsRefresh ? this.#catchUp() : Effect.void
  }

  /** Loads the whole stream, or the snapshot and what follows it. */
  load(): Effect.Effect<void, DatabaseUnavailable> {
    return Effect.gen({ self: this }, function* () {
      const { aggregate, context, streamId } = this
      const { snapshots: policy } = aggregate
      this.state = aggregate.decider.initialState
      this.version = 0
      this.position = 0n
      this.eventId = undefined
      this.recordedAt = epoch
      this.snapshotVersion = 0
      // A stream that ends within its first events has no snapshot, or none that is worth a look-up.
      const first = Math.min(policy?.every ?? pageSize, pageSize)
      if (yield* this.#readPage(first)) {
        const snapshot = policy && (yield* context.snapshots.load(streamId))
        if (policy !== undefined && snapshot !== undefined) yield* this.#restore(policy, snapshot)
        yield* this.#catchUp()
      }
      this.phase = current
      context.metrics.activated(this.snapshotVersion > 0 ? "snapshot" : "log")
    }).pipe(Effect.annotateLogs({ streamId: this.streamId }))
  }

  /**
   * Notes that the state lacks events up to `version`, which the log holds; without `version`, notes that the log may
   * hold such events.
   */
  fallBehind(version = this.version + 1): void {
    const { phase } = this
    if (phase._tag === "Spoiled" || version <= this.version) return
    this.phase = { _tag: "Behind", version: phase._tag === "Behind" ? Math.max(version, phase.version) : version }
  }

  /** Notes that a defect may have left anything in the state. */
  spoil(): void {
    this.phase = spoiled
  }

  /** Folds events that the event store has just stored; `stored` names the position of the last one. */
  advance(events: ReadonlyArray<Event>, stored: Stored): void {
    for (const event of events) this.#apply(event, stored)
    const { phase } = this
    if (phase._tag === "Fresh" || (phase._tag === "Behind" && phase.version <= this.version)) this.phase = current
    this.#saveIfDue()
  }

  #apply(event: Event, { eventId, position, recordedAt }: Stored): void {
    this.state = this.aggregate.decider.evolve(this.state, event, recordedAt)
    this.version += 1
    this.position = position
    this.eventId = eventId
    this.recordedAt = recordedAt
  }

  /** Applies a page of the stream; true if there is more behind it. */
  #readPage(limit: number): Effect.Effect<boolean, DatabaseUnavailable> {
    const { aggregate, context, streamId, version } = this
    return Effect.map(context.store.readStream(streamId, { after: version, limit }), ({ events, hasMore }) => {
      for (const event of events) this.#apply(aggregate.codec.decode(event), event)
      return hasMore
    })
  }

  #catchUp(): Effect.Effect<void, DatabaseUnavailable> {
    return Effect.gen({ self: this }, function* () {
      while (yield* this.#readPage(pageSize)) yield* Effect.yieldNow
      this.phase = current
    })
  }

  /** Takes the state from a snapshot, if this program made it from this very stream; otherwise says so and ignores it. */
  #restore(policy: SnapshotPolicy<State>, snapshot: Snapshot): Effect.Effect<void, DatabaseUnavailable> {
    return Effect.gen({ self: this }, function* () {
      const { position, recordedAt, version } = snapshot
      if (version <= this.version) return
      const { events } = yield* this.context.store.readStream(this.streamId, { after: version - 1, limit: 1 })
      const [event] = events
      if (snapshot.fingerprint !== fingerprintOf(policy) || event?.position !== position) {
        return yield* Effect.logWarning(
          "A snapshot was made by another program or from another log; it is ignored and the stream is replayed."
        )
      }
      this.state = yield* Schema.decodeUnknownEffect(policy.schema, readable)(snapshot.state)
      this.version = version
      this.position = position
      this.eventId = event.eventId
      this.recordedAt = recordedAt
      this.snapshotVersion = version
    }).pipe(
      Effect.catchTag("SchemaError", (error) =>
        Effect.logWarning("A snapshot can't be decoded; it is ignored and the stream is replayed.", error)
      )
    )
  }

  #saveIfDue(): void {
    const { position, recordedAt, state, streamId, version } = this
    const { snapshots: policy } = this.aggregate
    if (policy === undefined || version - this.snapshotVersion < policy.every) return
    this.snapshotVersion = version
    const { background, snapshots } = this.context
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
}
