/**
 * The registry of actors: finds or starts the actor of an id, hands it the command, removes idle ones.
 *
 * Invariants: there is at most one actor per stream in a process; "find or make, enqueue, start" is one synchronous step,
 * and so is an actor's removal, so a command can't enter a dying actor. Actors run in the registry's scope and context,
 * never in a caller's: who goes away abandons only its wait.
 *
 * `send` is the seam behind which a clustered runtime can route to the node that owns the id.
 */
import { Clock, Context, Deferred, Duration, Effect, FiberSet, Layer, Queue, Semaphore, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { backoff } from "../database/SqlFailure.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import { Overloaded } from "../eventstore/EventStoreErrors.ts"
import type { ActorContext } from "./actor/ActorContext.ts"
import * as Actor from "./actor/AggregateActor.ts"
import { type Aggregate, streamId as streamIdOf } from "./Aggregate.ts"
import { AggregateLimits } from "./AggregateLimits.ts"
import * as AggregateMetrics from "./AggregateMetrics.ts"
import * as DefectBreaker from "./actor/DefectBreaker.ts"
import type { Accepted, Keyed, KeyedError, Precondition } from "./actor/Envelope.ts"
import * as ActorCache from "./actor/ActorCache.ts"
import { Snapshots } from "./Snapshots.ts"
import { AggregateSuspended, Draining, type SendError, type Unavailable } from "./CommandErrors.ts"

/** Without a key there is nothing that could have been stored under it. */
const neverUnkeyed = ["CommandIdReused", "CommandAlreadyAccepted"] as const

/** What may come with a command. Ids are UUIDs; missing ones are made or derived. */
export interface SendOptions {
  readonly precondition?: Precondition
  /** The id was made just now by whoever sends: the log need not be read first. A wrong claim only costs time. */
  readonly fresh?: boolean
  readonly correlationId?: string
  readonly causationId?: string
  readonly actor?: string
  readonly traceparent?: string
}

export class Aggregates extends Context.Service<
  Aggregates,
  {
    /**
     * Decides and durably stores one command; answers the state it led to.
     *
     * Fails with the domain's rejection, with `VersionMismatch`, with `ConcurrencyConflict` if races were lost until the
     * deadline, or with one of `Unavailable`. A defect of the domain is a defect of the caller's fiber.
     */
    send<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string,
      command: Command,
      options?: SendOptions
    ): Effect.Effect<Accepted<State, Event>, Rejection | SendError>

    /**
     * `send` for a command that may come again: its id, fingerprint and receipt are stored with its events, by the same
     * statement; only if it is accepted. Fails besides with `CommandAlreadyAccepted`, which carries the stored receipt, and
     * with `CommandIdReused`. See `KeyedCommands` for the whole way of such a command.
     */
    sendKeyed<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string,
      command: Command,
      keyed: Keyed<State, Event> & { readonly commandId: string },
      options?: SendOptions
    ): Effect.Effect<Accepted<State, Event>, Rejection | SendError | KeyedError>

    /** The newest committed state: linearizable, through the mailbox like a command. */
    read<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string
    ): Effect.Effect<Accepted<State, Event>, Unavailable>

    /** `read` of several ids at once, in their order. All are asked before the first is waited for. */
    readAll<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      ids: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<Accepted<State, Event>>, Unavailable>

    /** Actors in memory. */
    readonly residents: Effect.Effect<number>

    /** What they are doing, with at most so many of the busiest. */
    report(busiest: number): Effect.Effect<ActorCache.ActorReport>
  }
>()("ordinal/aggregate/Aggregates") {
  static readonly layer: Layer.Layer<Aggregates, never, EventStore | LogTail | Snapshots> = Layer.effect(
    Aggregates,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const tail = yield* LogTail
  const limits = yield* AggregateLimits
  const clock = yield* Clock.Clock
  const breaker = DefectBreaker.make()
  const actors = ActorCache.make(limits)
  let inFlight = 0
  let draining = false
  let idle = Deferred.makeUnsafe<void>()

  const runFork = yield* FiberSet.makeRuntime<never>()
  const saving = yield* Semaphore.make(limits.concurrentSnapshots)
  const context: ActorContext = {
    store,
    metrics: yield* AggregateMetrics.makeActorMetrics,
    snapshots: yield* Snapshots,
    background: (effect) => void runFork(Semaphore.withPermit(saving, effect)),
    limits,
    activations: yield* Semaphore.make(limits.concurrentActivations),
    answered: (streamId, exit) => {
      inFlight -= 1
      if (DefectBreaker.isJudged(exit)) breaker.succeeded(streamId)
      if (draining && inFlight === 0) Deferred.doneUnsafe(idle, Effect.void)
    },
    crashed: (streamId) => breaker.failed(streamId, clock.currentTimeMillisUnsafe()),
    ended: actors.ended
  }

  /** Done at once when called; what it returns only waits for the answer. */
  const enqueue = <State, Command, Event, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    id: string,
    command: { readonly value: Command } | undefined,
    options: SendOptions | undefined,
    keyed?: Keyed<State, Event> & { readonly commandId: string }
  ): Effect.Effect<Accepted<State, Event>, Rejection | SendError | KeyedError> => {
    const streamId = streamIdOf(aggregate, id)
    const now = clock.currentTimeMillisUnsafe()
    if (draining) return Effect.fail(new Draining({ retryAfter: 1 }))
    if (inFlight >= limits.inFlight) return Effect.fail(new Overloaded({ what: "this process", retryAfter: 1 }))
    // No yield from here on: see the invariant above.
    const found = actors.find(streamId, now)
    if (found !== undefined && Queue.isFullUnsafe(found.mailbox)) {
      return Effect.fail(new Overloaded({ what: `the mailbox of ${streamId}`, retryAfter: 1 }))
    }
    const rest = breaker.admit(streamId, now)
    if (rest > 0) return Effect.fail(new AggregateSuspended({ retryAfter: Math.ceil(rest / 1000) }))
    // The category of the stream id says which aggregate the actor was made from.
    const actor =
      (found as Actor.AggregateActor<State, Command, Event, Rejection> | undefined) ??
      Actor.make(aggregate, streamId, context, { fresh: options?.fresh ?? false })
    const commandId = keyed?.commandId ?? SecureRandom.uuidV7Unsafe()
    const reply = Deferred.makeUnsafe<Accepted<State, Event>, Rejection | SendError | KeyedError>()
    Queue.offerUnsafe(actor.mailbox, {
      ...(command === undefined ? {} : { command }),
      ...(keyed === undefined ? {} : { keyed }),
      precondition: options?.precondition,
      metadata: {
        commandId,
        correlationId: options?.correlationId ?? commandId,
        causationId: options?.causationId ?? commandId,
        ...(options?.actor === undefined ? {} : { actor: options.actor }),
        ...(options?.traceparent === undefined ? {} : { traceparent: options.traceparent })
      },
      deadline: now + Duration.toMillis(limits.commandDeadline),
      reply,
      lostRace: false
    })
    actor.open += 1
    actor.lastUsed = now
    inFlight += 1
    if (found === undefined) {
      actors.add(actor as Actor.AnyActor, now)
      // The mailbox is not empty any more: an activation that fails at once has somebody to answer.
      runFork(actor.run)
    }
    return Deferred.await(reply)
  }

  const ask = <State, Command, Event, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    id: string
  ): Effect.Effect<Accepted<State, Event>, Unavailable> =>
    // Nothing is decided, so nothing is rejected; nothing is appended, so no race is lost.
    enqueue(aggregate as Aggregate<State, Command, Event, never>, id, undefined, undefined).pipe(
      Effect.catchTag(["ConcurrencyConflict", "VersionMismatch", ...neverUnkeyed], Effect.die)
    )

  const sweep = Effect.sync(() => {
    const now = clock.currentTimeMillisUnsafe()
    breaker.sweep(now)
    actors.passivateIdle(now)
  })
  const sweepEvery = Math.max(1, Math.min(Duration.toMillis(limits.idle) / 2, 30_000))
  yield* Effect.delay(sweep, sweepEvery).pipe(Effect.forever, Effect.forkScoped)

  if (!store.soleWriter) {
    yield* Effect.suspend(() =>
      Effect.flatMap(tail.position, (after) =>
        Stream.runForEach(tail.pages(after), (page) => Effect.sync(() => page.forEach(actors.observe)))
      )
    ).pipe(
      Effect.tapCause((cause) => Effect.logWarning("what other processes write is not seen for now", cause)),
      Effect.sandbox,
      Effect.retry(backoff),
      Effect.forkScoped
    )
  }

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      draining = true
      if (inFlight === 0) return Effect.void
      return Deferred.await(idle).pipe(Effect.timeoutOption(limits.shutdown))
    })
  )

  return Aggregates.of({
    send: (aggregate, id, command, options) =>
      Effect.suspend(() => enqueue(aggregate, id, { value: command }, options)).pipe(
        Effect.catchTag(neverUnkeyed, Effect.die)
      ),
    sendKeyed: (aggregate, id, command, keyed, options) =>
      Effect.suspend(() => enqueue(aggregate, id, { value: command }, options, keyed)),
    read: (aggregate, id) => Effect.suspend(() => ask(aggregate, id)),
    readAll: (aggregate, ids) => Effect.suspend(() => Effect.all(ids.map((id) => ask(aggregate, id)))),
    residents: Effect.sync(actors.size),
    report: (busiest) => Effect.sync(() => actors.report(busiest))
  })
})
