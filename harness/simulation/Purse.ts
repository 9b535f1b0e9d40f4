/**
 * An aggregate for the simulator, whose events say what they were decided on: whatever is decided on another state than the
 * one that is there shows in the log.
 */
import { Result, Schema } from "effect"
import type { Aggregate } from "../../src/aggregate/Aggregate.ts"
import * as EventCodec from "../../src/aggregate/EventCodec.ts"

const PurseEvent = Schema.TaggedUnion({
  PutIn: { coins: Schema.Int, total: Schema.Int },
  TakenOut: { coins: Schema.Int, total: Schema.Int }
})
type PurseEvent = typeof PurseEvent.Type

const PurseState = Schema.Struct({ total: Schema.Int, moves: Schema.Int })
type PurseState = typeof PurseState.Type

export type PurseCommand =
  | { readonly _tag: "PutIn"; readonly coins: number }
  /** Takes out as many as there are, at most so many; none of an empty purse. */
  | { readonly _tag: "TakeSome"; readonly coins: number }
  | { readonly _tag: "TakeOut"; readonly coins: number }

export class TooFewCoins extends Schema.TaggedError<TooFewCoins>()("TooFewCoins", {
  total: Schema.Int,
  moves: Schema.Int
}) {}

const takeOut = (coins: number, total: number): ReadonlyArray<PurseEvent> =>
  coins === 0 ? [] : [{ _tag: "TakenOut", coins, total: total - coins }]

export const Purse: Aggregate<PurseState, PurseCommand, PurseEvent, TooFewCoins> = {
  category: "purse",
  codec: EventCodec.make(PurseEvent),
  decider: {
    initialState: { total: 0, moves: 0 },
    decide: (command, { moves, total }) => {
      const { coins } = command
      switch (command._tag) {
        case "PutIn":
          return Result.succeed([{ _tag: "PutIn", coins, total: total + coins }])
        case "TakeSome":
          return Result.succeed(takeOut(Math.min(coins, total), total))
        case "TakeOut":
          return coins > total ? Result.fail(new TooFewCoins({ total, moves })) : Result.succeed(takeOut(coins, total))
      }
    },
    evolve: ({ moves }, { total }) => ({ total, moves: moves + 1 })
  },
  snapshots: { every: 3, foldVersion: 1, schema: PurseState }
}
