/**
 * The registry of actors: finds or starts the actor of an id, hands it the command, and removes idle actors.
 *
 * There is at most one actor per stream in a process. "Find or make, enqueue, start" is one synchronous step, and so is
 * an actor's removal. Actors run in the registry's scope and context, never in a caller's, so a caller that goes away
 * abandons only its wait.
 */
import { Clock, Deferred, Duration, Effect, FiberSet, Schema, Semaphore, Stream, type Tracer } from "effect"
import { EventStore, type Guard } from "../../eventstore/EventStore.ts"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { StreamId } from "../../eventstore/StreamId.ts"
import { LogWentBack } from "../../eventstore/tail/LogErrors.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Span from "../../telemetry/Span.ts"
import { type Aggregate, streamId as streamIdOf } from "../Aggregate.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import { makeActorMetrics } from "../AggregateMetrics.ts"
import { AggregateSuspended, Draining, type GuardMoved, type SendError } from "../CommandErrors.ts"
import { idExpected, InvalidRequest, isId, isText, type Mistake } from "../InvalidRequest.ts"
import { Snapshots } from "../Snapshots.ts"
import * as ActorCache from "./ActorCache.ts"
import type { ActorContext } from "./ActorContext.ts"
import { AggregateActor, type AnyActor } from "./AggregateActor.ts"
import * as DefectBreaker from "./DefectBreaker.ts"
import type { Accepted, Keyed, KeyedError, Precondition, SendOptions } from "./Envelope.ts"
import * as UuidV7 from "../../eventstore/UuidV7.ts"

interface Message<State, Command, Event> {
  /** Without a command this is a read. */
  readonly command?: { readonly value: Command }
  readonly keyed?: Keyed<State, Event> & { readonly commandId: string }
  readonly options?: SendOptions | undefined
  readonly span?: Tracer.AnySpan | undefined
}

const isPrecondition = (value: Precondition): boolean =>
  value === undefined || value === "exists" || value === "absent" || [value].flat().every(Number.isInteger)

const texts = ["actor", "causationId", "correlationId", "traceparent"] as const

const maxGuards = 1_000
const isStreamId = Schema.is(StreamId)

const guardMistakes = (guards: unknown): ReadonlyArray<Mistake> => {
  if (!Array.isArray(guards) || guards.length > maxGuards)
    return [{ path: "options.guards", message: `Expected a list of at most ${maxGuards} guards` }]
  return guards.flatMap((guard: Partial<Guard> | null, index) => {
    const path = `options.guards[${index}]`
    const isVersion = Number.isInteger(guard?.version) && guard!.version! >= 0
    return [
      ...(isText(guard?.streamId) && isStreamId(guard?.streamId)
        ? []
        : [{ path: `${path}.streamId`, message: "Expected the id of a stream" }]),
      ...(isVersion ? [] : [{ path: `${path}.version`, message: "Expected a version: 0 or more events" }])
    ]
  })
}

/** Names what the event store could not keep: it would refuse the events, and no caller would learn why. */
const mistakesOf = (id: string, options: SendOptions): ReadonlyArray<Mistake> => {
  const message = "Expected text of at most 200 characters, without NUL and lone surrogates"
  const mistakes: Array<Mistake> = []
  for (const name of texts) {
    if (options[name] !== undefined && !isText(options[name])) mistakes.push({ path: `options.${name}`, message })
  }
  if (!isId(id)) mistakes.push({ path: "path.id", message: idExpected })
  if (!isPrecondition(options.precondition)) {
    mistakes.push({ path: "options.precondition", message: 'Expected a version, versions, "exists" or "absent"' })
  }
  if (options.guards !== undefined) mistakes.push(...guardMistakes(options.guards))
  return mistakes
}

const noOptions: SendOptions = {}

export const make = Effect.gen(function* () {
  const store = yield* EventStore
  const tail = yield* LogTail
  const limits = yield* AggregateLimits
  const clock = yield* Clock.Clock
  const breaker = DefectBreaker.make()
  const actors = ActorCache.make(limits)
  const deadlineMillis = Duration.toMillis(limits.commandDeadline)
  let inFlight = 0
  let draining = false
  const drained = Deferred.makeUnsafe<void>()

  const runFork = yield* FiberSet.makeRuntime()
  const saving = yield* Semaphore.make(limits.concurrentSnapshots)
  const context: ActorContext = {
    store,
    metrics: yield* makeActorMetrics,
    clock,
    snapshots: yield* Snapshots,
    run: (effect) => void runFork(effect),
    background: (effect) => void runFork(Semaphore.withPermit(saving, effect)),
    limits,
    activations: yield* Semaphore.make(limits.concurrentActivations),
    answered: (streamId, exit, isRead) => {
      inFlight -= 1
      if (!isRead && DefectBreaker.isDecided(exit)) breaker.succeeded(streamId)
      if (draining && inFlight === 0) Deferred.doneUnsafe(drained, Effect.void)
    },
    crashed: (streamId) => breaker.failed(streamId, MonotonicClock.millisUnsafe(clock)),
    // Only actors call these, each with itself.
    rested: (actor) => actors.rested(actor as AnyActor),
    failed: (actor) => actors.failed(actor as AnyActor)
  }

  /** Enqueues the command, or refuses it, before it returns; the effect that it returns only waits for the answer. */
  const enqueue = <State, Command, Event, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    id: string,
    { command, keyed, options = noOptions, span }: Message<State, Command, Event>
  ): Effect.Effect<Accepted<State, Event>, Rejection | SendError | GuardMoved | KeyedError> => {
    const mistakes = mistakesOf(id, options)
    if (mistakes.length > 0) return Effect.fail(InvalidRequest.all(mistakes))
    const streamId = streamIdOf(aggregate, id)
    const now = MonotonicClock.millisUnsafe(clock)
    if (draining) return Effect.fail(new Draining({ retryAfter: 1 }))
    if (inFlight >= limits.inFlight) return Effect.fail(new Overloaded({ what: "this process", retryAfter: 1 }))
    // There is no yield from here on: see the file's head.
    const found = actors.find(streamId, now)
    if (found?.isFull === true) {
      return Effect.fail(new Overloaded({ what: `the mailbox of ${streamId}`, retryAfter: 1 }))
    }
    // A read runs no rules that could fail, so it is neither refused nor a trial.
    const wait = command === undefined ? 0 : breaker.admit(streamId, now)
    if (wait > 0) return Effect.fail(new AggregateSuspended({ retryAfter: Math.ceil(wait / 1000) }))
    // The category of the stream id says which aggregate the actor was made from.
    const actor =
      (found as AggregateActor<State, Command, Event, Rejection> | undefined) ??
      new AggregateActor(aggregate, streamId, context, options.fresh ?? false)
    const commandId = keyed?.commandId ?? UuidV7.make()
    const reply = Deferred.makeUnsafe<Accepted<State, Event>, Rejection | SendError | GuardMoved | KeyedError>()
    actor.lastUsed = now
    inFlight += 1
    if (found === undefined) actors.add(actor as AnyActor, now)
    // This comes last, since it may run the actor: an activation that fails at once has somebody to answer.
    actor.enqueue({
      command,
      keyed,
      precondition: options.precondition,
      guards: options.guards?.length === 0 ? undefined : options.guards,
      metadata: {
        commandId,
        correlationId: options.correlationId ?? commandId,
        causationId: options.causationId ?? commandId,
        ...(options.actor === undefined ? undefined : { actor: options.actor }),
        ...(options.traceparent === undefined && span === undefined
          ? undefined
          : { traceparent: options.traceparent ?? Span.toTraceparent(span!) })
      },
      deadline: Math.min(now + deadlineMillis, options.deadline ?? Infinity),
      span,
      reply,
      lostRace: false
    })
    return Deferred.await(reply)
  }

  const sweep = Effect.sync(() => {
    const now = MonotonicClock.millisUnsafe(clock)
    breaker.sweep(now)
    actors.passivateIdle(now)
  })
  const sweepEvery = Math.max(1, Math.min(Duration.toMillis(limits.idle) / 2, 30_000))
  yield* supervise("actor-sweeper", Effect.forever(Effect.delay(sweep, sweepEvery)))

  if (!store.soleWriter) {
    const follow = Effect.flatMap(tail.position, (after) =>
      Stream.runForEach(tail.pages(after), (page) => Effect.sync(() => page.forEach(actors.observe)))
    )
    // Answers stay correct while this fails, since each of them is checked against the log.
    yield* supervise(
      "actor-follower",
      Effect.catchDefect(follow, (defect) => {
        if (defect instanceof LogWentBack) actors.forgetAll()
        return Effect.die(defect)
      })
    )
  }

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      draining = true
      if (inFlight === 0) return Effect.void
      return Deferred.await(drained).pipe(Effect.timeoutOption(limits.shutdown))
    })
  )

  return {
    enqueue,
    residents: Effect.sync(actors.size),
    report: (busiest: number) =>
      Effect.sync(() => {
        const now = { wall: clock.currentTimeMillisUnsafe(), monotonic: MonotonicClock.millisUnsafe(clock) }
        return actors.report(busiest, now)
      })
  }
})
