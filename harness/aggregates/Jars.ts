/** An aggregate for tests of subscriptions and projections: jars of coins. */
import { Effect, Schema } from "effect"
import * as Aggregate from "../../src/aggregate/Aggregate.ts"

export const JarId = Schema.String.check(Schema.isPattern(/^[a-z]{1,20}$/)).pipe(Schema.brand("JarId"))
export type JarId = typeof JarId.Type

const Coins = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))

export class Jars extends Aggregate.Service<Jars>()("jar", {
  id: JarId,
  command: Schema.TaggedUnion({ Fill: { coins: Coins }, Label: { text: Schema.String } }),
  event: Schema.TaggedUnion({ Filled: { coins: Coins }, Labelled: { text: Schema.String } }),
  state: Schema.Struct({ coins: Schema.Int, label: Schema.String }),
  initial: { coins: 0, label: "" },
  decide: (command) =>
    command._tag === "Fill"
      ? Aggregate.accept({ _tag: "Filled", coins: command.coins })
      : Aggregate.accept({ _tag: "Labelled", text: command.text }),
  evolve: (state, event) =>
    event._tag === "Filled" ? { ...state, coins: state.coins + event.coins } : { ...state, label: event.text }
}) {}

/** Fills jars in turn: "a:1 b:2" puts a coin into the jar a and two into b. Gives the last answer's token. */
export const fill = Effect.fnUntraced(function* (text: string) {
  const jars = yield* Jars
  let token = ""
  for (const part of text.split(" ")) {
    const [id = "", coins] = part.split(":")
    const answer = yield* jars.send(JarId.make(id), { _tag: "Fill", coins: Number(coins) })
    token = answer.token
  }
  return token
})
