/** An invariant over several streams: an account's purchases never exceed its credit limit, whoever buys or changes it. */
import { Effect, Layer, Schema } from "effect"
import { Aggregate, Guarded } from "ordinal/aggregate"

export const AccountId = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,32}$/)).pipe(Schema.brand("AccountId"))
export type AccountId = typeof AccountId.Type

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000 }))
const Price = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000_000 }))

/** The limit is one stream, so that whoever sets it does not wait for those who buy. */
export class Limits extends Aggregate.Service<Limits>()("limit", {
  id: AccountId,
  command: Schema.TaggedUnion({ SetLimit: { cents: Cents } }),
  event: Schema.TaggedUnion({ LimitSet: { cents: Cents } }),
  state: Schema.Int,
  initial: 0,
  decide: ({ cents }, limit) => (cents === limit ? Aggregate.accept() : Aggregate.accept({ _tag: "LimitSet", cents })),
  evolve: (_, { cents }) => cents
}) {}

export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", { available: Schema.Int }) {}

/** The purchases are another one. Their rule needs the limit, which the command carries. */
export class Purchases extends Aggregate.Service<Purchases>()("purchases", {
  id: AccountId,
  command: Schema.TaggedUnion({ Purchase: { cents: Price, limit: Cents } }),
  event: Schema.TaggedUnion({ Purchased: { cents: Price } }),
  state: Schema.Int,
  rejection: LimitExceeded,
  initial: 0,
  decide: ({ cents, limit }, spent) =>
    spent + cents > limit
      ? Aggregate.reject(new LimitExceeded({ available: Math.max(0, limit - spent) }))
      : Aggregate.accept({ _tag: "Purchased", cents }),
  evolve: (spent, { cents }) => spent + cents
}) {}

/**
 * Buys within the limit. The guard says at which version the limit was read: if it was set meanwhile, nothing is stored,
 * and the command is made again. So the limit that decides is the one at the commit, also when another process sets it.
 */
export const purchase = Effect.fn("purchase")(function* (account: AccountId, cents: number) {
  const limits = yield* Limits
  const purchases = yield* Purchases
  const make = Effect.map(limits.get(account), ({ state: limit, version }) =>
    Guarded.make({ _tag: "Purchase", cents, limit }, [Limits.guard(account, version)])
  )
  return yield* purchases.sendGuarded(account, make)
})

/** Needs what a layer of `EventSourcing` provides. */
export const layer = Layer.merge(Limits.layer, Purchases.layer)
