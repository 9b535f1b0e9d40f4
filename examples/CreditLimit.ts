/** An invariant over several streams: an account's purchases never exceed its credit limit, whoever buys or changes it. */
import { Effect, Result, Schema } from "effect"
import { type Aggregate, Aggregates, Commands, EventCodec, Guarded } from "ordinal/aggregate"
import { StreamId } from "ordinal/eventstore"

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000 }))

// The limit is one stream, so that whoever sets it does not wait for those who buy.
const LimitEvent = Schema.TaggedUnion({ LimitSet: { cents: Cents } })
type LimitEvent = typeof LimitEvent.Type
type SetLimit = { readonly _tag: "SetLimit"; readonly cents: number }

export const Limit: Aggregate<number, SetLimit, LimitEvent, never> = {
  category: "limit",
  decider: {
    initialState: 0,
    decide: ({ cents }, limit) => Result.succeed(cents === limit ? [] : [{ _tag: "LimitSet", cents }]),
    evolve: (_, event) => event.cents
  },
  codec: EventCodec.make(LimitEvent)
}

// The purchases are another one. Their rule needs the limit, which the command carries.
const PurchaseEvent = Schema.TaggedUnion({ Purchased: { cents: Cents } })
type PurchaseEvent = typeof PurchaseEvent.Type
type Purchase = { readonly _tag: "Purchase"; readonly cents: number; readonly limit: number }

export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", { available: Schema.Int }) {}

export const Purchases: Aggregate<number, Purchase, PurchaseEvent, LimitExceeded> = {
  category: "purchases",
  decider: {
    initialState: 0,
    decide: ({ cents, limit }, spent) =>
      spent + cents > limit
        ? Result.fail(new LimitExceeded({ available: Math.max(0, limit - spent) }))
        : Result.succeed([{ _tag: "Purchased", cents }]),
    evolve: (spent, event) => spent + event.cents
  },
  codec: EventCodec.make(PurchaseEvent)
}

/**
 * Buys within the limit. The guard says at which version the limit was read: if it was set meanwhile, nothing is stored,
 * and `command` is run again. So the limit that decides is the one at the commit, also when another process sets it.
 */
export const purchase = Effect.fn("purchase")(function* (account: string, cents: number) {
  const aggregates = yield* Aggregates
  const commands = yield* Commands
  return yield* commands.submit({
    aggregate: Purchases,
    idOf: () => account,
    scope: ["Purchase", account],
    request: { cents },
    command: Effect.gen(function* () {
      const { state: limit, version } = yield* aggregates.read(Limit, account)
      const guards = [{ streamId: StreamId.make(Limit.category, account), version }]
      return new Guarded<Purchase>({ command: { _tag: "Purchase", cents, limit }, guards })
    }),
    receipt: (spent) => ({ spent })
  })
})
