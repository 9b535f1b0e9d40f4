/**
 * What an actor remembers of its stream: the fold of events that the log has confirmed, and of nothing else.
 *
 * The same read serves activation, a lost race and an unknown outcome. A long stream starts from its snapshot if there is
 * a usable one, and leaves a new one every so many events, off the path of the command that made it due.
 */
import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { Aggregate, SnapshotPolicy } from "../Aggregate.ts"
import { canonicalJson } from "../CanonicalJson.ts"
import type { Snapshot, Snapshots } from "../Snapshots.ts"

const pageSize = 500

export interface ActorState<State, Event> {
  readonly state: State
  readonly version: number
  /** Of the last event; 0 without one. */
  readonly position: bigint
  readonly recordedAt: string
  /** Forgets everything, then reads the whole stream, or what follows its snapshot. */
  readonly activate: Effect.Effect<void, DatabaseUnavailable>
  /** Reads what follows `version`. */
  readonly catchUp: Effect.Effect<void, DatabaseUnavailable>
  /** Folds events that the log has just stored; `position` is that of the last, if there is one. */
  store(events: ReadonlyArray<Event>, stored: { readonly position: bigint; readonly recordedAt: string }): void
}

export interface MemoryContext {
  readonly log: EventStore["Service"]
  readonly snapshots: Snapshots["Service"]
  /** Runs what nobody waits for. */
  background(effect: Effect.Effect<void>): void
  /** Told of every activation. */
  activated(source: "log" | "snapshot"): void
}

const fingerprints = new WeakMap<object, string>()

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
  { activated, background, log, snapshots }: MemoryContext
): ActorState<State, Event> => {
  const blank = {
    state: decider.initialState,
    version: 0,
    position: 0n,
    recordedAt: "1970-01-01T00:00:00.000Z"
  }
  const memory = { ...blank }
  let snapshotVersion = 0

  const apply = (event: Event, at: { readonly position: bigint; readonly recordedAt: string }) => {
    memory.state = decider.evolve(memory.state, event, at.recordedAt)
    memory.version += 1
    memory.position = at.position
    memory.recordedAt = at.recordedAt
  }

  const readPage = (limit: number) =>
    Effect.map(log.readStream(streamId, { after: memory.version, limit }), (page) => {
      for (const event of page) apply(codec.decode(event), event)
      return page.length
    })

  const catchUp = Effect.gen(function* () {
    while ((yield* readPage(pageSize)) === pageSize) yield* Effect.yieldNow
  })

  /** Only a snapshot of this very program and this very stream is used; any other is ignored, and said so. */
  const restore = Effect.fnUntraced(
    function* (policy: SnapshotPolicy<State>, snapshot: Snapshot) {
      if (snapshot.version <= memory.version) return
      const [event] = yield* log.readStream(streamId, { after: snapshot.version - 1, limit: 1 })
      if (snapshot.fingerprint !== fingerprintOf(policy) || event?.position !== snapshot.position) {
        return yield* Effect.logWarning(
          "a snapshot is of another program or log and is ignored; the stream is replayed"
        )
      }
      const { position, recordedAt, version } = snapshot
      const state = yield* Schema.decodeUnknownEffect(policy.schema)(snapshot.state)
      Object.assign(memory, { state, version, position, recordedAt })
      snapshotVersion = version
    },
    Effect.catchTag("SchemaError", (error) =>
      Effect.logWarning("a snapshot can't be read and is ignored; the stream is replayed", error)
    )
  )

  const activate = Effect.gen(function* () {
    Object.assign(memory, blank)
    snapshotVersion = 0
    if (policy !== undefined) {
      // A stream that ends here has no snapshot, or none that is worth a look-up.
      const first = Math.min(policy.every, pageSize)
      if ((yield* readPage(first)) < first) return
      const snapshot = yield* snapshots.load(streamId)
      if (snapshot !== undefined) yield* restore(policy, snapshot)
    }
    yield* catchUp
  }).pipe(
    Effect.tap(() => Effect.sync(() => activated(snapshotVersion > 0 ? "snapshot" : "log"))),
    Effect.annotateLogs({ streamId })
  )

  const saveIfDue = () => {
    if (policy === undefined || memory.version - snapshotVersion < policy.every) return
    snapshotVersion = memory.version
    const { position, recordedAt, state, version } = memory
    const save = Effect.gen(function* () {
      const encoded = yield* Schema.encodeEffect(policy.schema)(state)
      const fingerprint = fingerprintOf(policy)
      yield* snapshots.save(streamId, { version, position, recordedAt, fingerprint, state: encoded })
    })
    background(
      Effect.catchCause(save, (cause) => Effect.logWarning("a snapshot could not be saved", cause)).pipe(
        Effect.annotateLogs({ streamId })
      )
    )
  }

  return Object.assign(memory, {
    activate,
    catchUp,
    store: (events: ReadonlyArray<Event>, stored: { readonly position: bigint; readonly recordedAt: string }) => {
      const first = stored.position - BigInt(events.length - 1)
      events.forEach((event, index) => apply(event, { position: first + BigInt(index), recordedAt: stored.recordedAt }))
      saveIfDue()
    }
  })
}
