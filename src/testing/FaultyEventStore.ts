/**
 * Wraps an event store, so that it fails when a test says so, in the way and for the calls that the test says.
 * Everything else goes to the store that it wraps. It is for tests of whatever stands on an event store: how it
 * answers, retries and recovers.
 *
 *     const faulty = FaultyEventStore.make(yield* MemoryEventStore.make())
 *     faulty.inject({ append: FaultyEventStore.first(1, FaultyEventStore.unavailable) })
 *     yield* program.pipe(Effect.provide(faulty.layer))
 */
import { Effect, Layer, PubSub } from "effect"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { EventStore, type Outcome } from "../eventstore/EventStore.ts"
import { OutcomeUnknown } from "../eventstore/EventStoreErrors.ts"

type Service = EventStore["Service"]

/**
 * A fault is given the arguments of a call, and its number among the calls of this operation since the fault was
 * injected, from 1.
 */
export interface Call<Arguments> {
  readonly args: Arguments
  readonly number: number
}

/** Replaces a call: `call` is the untouched one, which the fault may run before, after, twice or not at all. */
export type Fault<Arguments extends ReadonlyArray<unknown>, A, E> = (
  call: Effect.Effect<A, E>,
  about: Call<Arguments>
) => Effect.Effect<A, E>

type FaultOf<Method> = Method extends (...args: infer Arguments) => Effect.Effect<infer A, infer E>
  ? Fault<Arguments, A, E>
  : never

type Operation = "append" | "readStream" | "readAll" | "currentVersion" | "findCommand" | "forgetCommands"

/** A test names a fault for each operation of the store that is to go wrong. */
export type Faults = { readonly [Name in Operation]?: FaultOf<Service[Name]> }

export interface FaultyEventStore {
  /** A test controls the store by these. */
  readonly store: Service
  /** Provides `store` as the event store. */
  readonly layer: Layer.Layer<EventStore>
  /** From now on the named operations go wrong, and all others are sound; calls under way are not changed. */
  readonly inject: (faults: Faults) => void
  /** From now on every operation is sound. */
  readonly mend: () => void
}

const through = <Arguments extends ReadonlyArray<unknown>, A, E>(
  method: (...args: Arguments) => Effect.Effect<A, E>,
  fault: () => Fault<Arguments, A, E> | undefined
) => {
  let injected: Fault<Arguments, A, E> | undefined
  let number = 0
  return (...args: Arguments): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const current = fault()
      if (current !== injected) [injected, number] = [current, 0]
      number += 1
      const call = Effect.suspend(() => method(...args))
      return current === undefined ? call : current(call, { args, number })
    })
}

/** Wraps a store. With `losesHints`, nobody is told that the log has grown: readers only find out by polling. */
export const make = (sound: Service, options: { readonly losesHints?: boolean } = {}): FaultyEventStore => {
  let faults: Faults = {}
  const { onAppended, ...others } = sound
  const store = EventStore.of({
    ...(options.losesHints === true || onAppended === undefined ? others : sound),
    append: through(sound.append, () => faults.append),
    readStream: through(sound.readStream, () => faults.readStream),
    readAll: through(sound.readAll, () => faults.readAll),
    currentVersion: through(sound.currentVersion, () => faults.currentVersion),
    findCommand: through(sound.findCommand, () => faults.findCommand),
    forgetCommands: through(sound.forgetCommands, () => faults.forgetCommands),
    ...(options.losesHints === true ? { grown: Effect.runSync(PubSub.sliding<void>(1)) } : {})
  })
  return {
    store,
    layer: Layer.succeed(EventStore, store),
    inject: (next) => {
      faults = next
    },
    mend: () => {
      faults = {}
    }
  }
}

/** Fails with `DatabaseUnavailable` (`retryAfter`: 1 s); nothing is done. */
export const unavailable = (): Effect.Effect<never, DatabaseUnavailable> =>
  Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))

/** Does what was asked and fails all the same with `OutcomeUnknown` (`retryAfter`: 1 s), as if the answer was lost. */
export const answerLost = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<never, E | OutcomeUnknown> =>
  Effect.andThen(call, Effect.fail(new OutcomeUnknown({ retryAfter: 1 })))

/**
 * Answers every entry of an append that another writer was faster: the stream is at this version. Nothing is stored.
 */
export const conflict =
  (version: number): FaultOf<Service["append"]> =>
  (_, { args: [entries] }) =>
    Effect.succeed(entries.map((): Outcome => ({ _tag: "Conflict", version })))

/** The call never answers, and nothing is done. */
export const silent = (): Effect.Effect<never> => Effect.never

/**
 * Runs `before` to its end first, such as waiting at a gate, or an append by somebody else; then does what was asked.
 */
export const after =
  <E2>(before: Effect.Effect<unknown, E2>) =>
  <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | E2> =>
    Effect.andThen(before, call)

/** Only the first `calls` calls since the injection go wrong. */
export const first =
  <Arguments extends ReadonlyArray<unknown>, A, E>(
    calls: number,
    fault: Fault<Arguments, NoInfer<A>, NoInfer<E>>
  ): Fault<Arguments, A, E> =>
  (call, about) =>
    about.number <= calls ? fault(call, about) : call

/** Only the calls since the injection go wrong that have this number or a greater one. */
export const from =
  <Arguments extends ReadonlyArray<unknown>, A, E>(
    number: number,
    fault: Fault<Arguments, NoInfer<A>, NoInfer<E>>
  ): Fault<Arguments, A, E> =>
  (call, about) =>
    about.number >= number ? fault(call, about) : call

/** What may happen to one append: nothing is stored; all is stored and nobody knows; another writer was faster; a second passes first. */
export type AppendFault = "fails" | "outcome unknown" | "conflicts" | "is slow"

const appendFaults: Record<AppendFault, FaultOf<Service["append"]>> = {
  fails: unavailable,
  "outcome unknown": answerLost,
  conflicts: (_, { args: [entries] }) =>
    Effect.succeed(entries.map(({ expected }): Outcome => ({ _tag: "Conflict", version: expected }))),
  "is slow": (call) => Effect.delay(call, "1 second")
}

/**
 * Makes the n-th append to the store that is provided go wrong, counted from 1:
 *
 *     FaultyEventStore.layerFaulty({ 2: "outcome unknown", 5: "conflicts" }).pipe(Layer.provide(MemoryEventStore.layer()))
 */
export const layerFaulty = (
  faults: Readonly<Record<number, AppendFault>>
): Layer.Layer<EventStore, never, EventStore> =>
  Layer.effect(
    EventStore,
    Effect.map(EventStore, (sound) => {
      const { inject, store } = make(sound)
      inject({
        append: (call, about) => {
          const fault = faults[about.number]
          return fault === undefined ? call : appendFaults[fault](call, about)
        }
      })
      return store
    })
  )
