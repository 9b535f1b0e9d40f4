/** Gift cards: their schemas and pure rules. Programs elsewhere load this file too; `GiftCardApi.ts` serves it. */
import { Effect, Schema } from "effect"
import { Aggregate, Upcaster } from "ordinal/aggregate"

export const CardId = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,32}$/)).pipe(Schema.brand("CardId"))

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))
const Balance = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))
const Till = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,16}$/))

/** Version 1 of the event counted in whole euros and did not name the till. */
const RedeemedV1 = Schema.Struct({ euros: Schema.Int })

export class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { balance: Balance }) {
  override get message() {
    return `The card holds ${this.balance} cents, which is not enough.`
  }
}

export class GiftCards extends Aggregate.Service<GiftCards>()("giftcard", {
  id: CardId,
  command: Schema.TaggedUnion({ Issue: { cents: Cents }, Redeem: { cents: Cents, till: Till } }),
  // Events are the storage format: never edit one that has shipped.
  event: Schema.TaggedUnion({ Issued: { cents: Cents }, Redeemed: { cents: Cents, till: Till } }),
  state: Schema.Struct({ issued: Schema.Boolean, balance: Balance }),
  rejection: NotEnough,
  initial: { issued: false, balance: 0 },
  decide: (command, { balance, issued }) => {
    switch (command._tag) {
      case "Issue":
        return issued ? Aggregate.accept() : Aggregate.accept({ _tag: "Issued", cents: command.cents })
      case "Redeem":
        return command.cents > balance
          ? Aggregate.reject(new NotEnough({ balance }))
          : Aggregate.accept({ ...command, _tag: "Redeemed" })
    }
  },
  evolve: (state, event) => {
    switch (event._tag) {
      case "Issued":
        return { issued: true, balance: event.cents }
      case "Redeemed":
        return { ...state, balance: state.balance - event.cents }
    }
  },
  upcasters: { Redeemed: Upcaster.since(RedeemedV1).now(({ euros }) => ({ cents: euros * 100, till: "unknown" })) },
  snapshot: { every: 100, foldVersion: 1 }
}) {}

/** Pays with a card. It may be run again with the same receipt, and wherever the cards are: here, or on a server elsewhere. */
export const pay = Effect.fn("pay")(function* (card: string, cents: number, receipt: string) {
  const cards = yield* GiftCards
  const id = yield* Schema.decodeEffect(CardId)(card)
  const { state } = yield* cards.send(id, { _tag: "Redeem", cents, till: "7" }, { idempotencyKey: receipt })
  return state.balance
})
