/** A small aggregate for the kernel's tests: counts up to a limit, and can be told to misbehave. */
import { Deferred, Effect, Layer, Result, Schema } from "effect"
import type { Entry } from "../../src/eventstore/EventStore.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../../src/eventstore/MemoryEventStore.ts"
import type { Aggregate } from "../../src/aggregate/Aggregate.ts"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import { Snapshots } from "../../src/aggregate/Snapshots.ts"
import * as FaultyEventStore from "../../src/testing/FaultyEventStore.ts"
import * as EventCodec from "../../src/aggregate/EventCodec.ts"

const CounterEvent = Schema.TaggedUnion({
  Added: { amount: Schema.Int },
  /** Makes `evolve` throw. */
  Poisoned: {}
})
type CounterEvent = typeof CounterEvent.Type

export class TooMuch extends Schema.TaggedError<TooMuch>()("TooMuch", { count: Schema.Int }) {}

export type CounterCommand =
  | { readonly _tag: "Add"; readonly amount: number }
  | { readonly _tag: "RefuseAt"; readonly count: number }
  | { readonly _tag: "Throw" }
  | { readonly _tag: "Poison" }

export interface CounterState {
  readonly count: number
  readonly at: string
}

export const Counter: Aggregate<CounterState, CounterCommand, CounterEvent, TooMuch> = {
  category: "counter",
  codec: EventCodec.make(CounterEvent),
  decider: {
    initialState: { count: 0, at: "" },
    decide: (command, state) => {
      switch (command._tag) {
        case "Add":
          return Result.succeed(command.amount === 0 ? [] : [{ _tag: "Added", amount: command.amount }])
        case "RefuseAt":
          return state.count >= command.count ? Result.fail(new TooMuch({ count: state.count })) : Result.succeed([])
        case "Throw":
          throw new Error("decide is broken")
        case "Poison":
          return Result.succeed([{ _tag: "Poisoned" }])
      }
    },
    evolve: (state, event, recordedAt) => {
      if (event._tag === "Poisoned") throw new Error("evolve is broken")
      return { count: state.count + event.amount, at: recordedAt }
    }
  }
}

export const add = (amount = 1): CounterCommand => ({ _tag: "Add", amount })

/** Makes a registry of its own on the log that is provided, as another process would have. */
export const registry = (limits?: Partial<AggregateLimits.AggregateLimits>) =>
  Layer.fresh(Aggregates.layer).pipe(
    Layer.provide(Layer.fresh(LogTail.layer)),
    Layer.provide(Snapshots.layerMemory),
    Layer.provide(Layer.succeed(AggregateLimits.AggregateLimits, { ...AggregateLimits.defaults, ...limits }))
  )

export const onMemory = (
  options?: MemoryEventStore.Options & { readonly limits?: Partial<AggregateLimits.AggregateLimits> }
) => registry(options?.limits).pipe(Layer.provideMerge(MemoryEventStore.layer(options)))

/** Makes a memory log whose appends wait until the test runs `open`. */
export const gated = Effect.gen(function* () {
  const log = yield* MemoryEventStore.make()
  const arrived = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  const { inject, layer } = FaultyEventStore.make(log)
  const wait = Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(gate))
  inject({ append: FaultyEventStore.after(wait) })
  return { arrived: Deferred.await(arrived), open: Deferred.succeed(gate, undefined), layer, log }
})

/** Makes a memory log that remembers the entries of each append, and answers it later, as a log that has to be asked does. */
export const counting = Effect.gen(function* () {
  const appends: Array<ReadonlyArray<Entry>> = []
  const { inject, layer } = FaultyEventStore.make(yield* MemoryEventStore.make())
  inject({
    append: (call, { args: [entries] }) => {
      appends.push(entries)
      return Effect.andThen(Effect.yieldNow, call)
    }
  })
  return { appends, layer }
})
