/** An aggregate for long streams: one command books as many events as it is told. */
import { Context, Effect, Layer, Logger, Result, Schema } from "effect"
import type { Aggregate } from "../../src/aggregate/Aggregate.ts"
import { AggregateLimits, defaults } from "../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import * as EventCodec from "../../src/aggregate/EventCodec.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import { patientCommands } from "../clocks/Patience.ts"

const LedgerEvent = Schema.TaggedUnion({ Booked: { amount: Schema.Int } })

const LedgerState = Schema.Struct({
  count: Schema.Int,
  sum: Schema.Int,
  /** A number that depends on the order of the amounts. */
  chain: Schema.Int
})
type LedgerState = typeof LedgerState.Type

export interface Book {
  readonly _tag: "Book"
  readonly events: number
}

/** Makes the aggregate, with a snapshot every so many events; without a number it has none. */
export const ledger = (
  every?: number,
  foldVersion = 1
): Aggregate<LedgerState, Book, typeof LedgerEvent.Type, never> => ({
  category: "ledger",
  codec: EventCodec.make(LedgerEvent),
  decider: {
    initialState: { count: 0, sum: 0, chain: 0 },
    decide: ({ events }, { count }) =>
      Result.succeed(
        Array.from({ length: events }, (_, index) => ({ _tag: "Booked" as const, amount: (count + index) % 97 }))
      ),
    evolve: ({ chain, count, sum }, { amount }) => ({
      count: count + 1,
      sum: sum + amount,
      chain: (Math.imul(chain, 31) + amount) | 0
    })
  },
  ...(every === undefined ? {} : { snapshots: { every, foldVersion, schema: LedgerState } })
})

/** Makes the state of so many events by simply counting them. */
export const expected = (count: number): LedgerState => {
  const { decider } = ledger()
  let state = decider.initialState
  for (let index = 0; index < count; index++) {
    state = decider.evolve(state, { _tag: "Booked", amount: index % 97 }, "")
  }
  return state
}

/** Runs an effect as a new process would, with nothing in memory; its warnings go to `warnings`. */
export const inNewProcess = <A, E>(
  run: (aggregates: Aggregates["Service"]) => Effect.Effect<A, E>,
  warnings: Array<string> = []
) => {
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel !== "Info" && logLevel !== "Debug") warnings.push(String(message))
  })
  const registry = Layer.fresh(Aggregates.layer).pipe(
    Layer.provide(Layer.fresh(LogTail.layer)),
    Layer.provideMerge(Logger.layer([logger]))
  )
  return Layer.build(registry).pipe(
    Effect.flatMap((context) => Effect.provide(run(Context.get(context, Aggregates)), context)),
    Effect.scoped,
    Effect.provideService(AggregateLimits, { ...defaults, ...patientCommands })
  )
}
