/**
 * Typical mistakes of who writes an aggregate. The comment above a mistake is part of what the compiler says about the next
 * line; `TypeErrors.test.ts` compares. Nothing here runs.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpApi } from "effect/http-api"
import { Aggregate, Upcaster } from "ordinal/aggregate"
import { AggregateClient } from "ordinal/client"
import { AggregateApi, AggregateHandlers, Server } from "ordinal/http"
import { EventSourcing } from "ordinal/kernel"
import { Projection } from "ordinal/projection"

const CardId = Schema.String.pipe(Schema.brand("CardId"))
const PotId = Schema.String.pipe(Schema.brand("PotId"))
const Command = Schema.TaggedUnion({ Issue: { cents: Schema.Int }, Redeem: { cents: Schema.Int } })
const Event = Schema.TaggedUnion({ Issued: { cents: Schema.Int }, Redeemed: { cents: Schema.Int } })
const State = Schema.Struct({ balance: Schema.Int })
class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { balance: Schema.Int }) {}
class Expired extends Schema.TaggedError<Expired>()("Expired", {}) {}

const right = {
  id: CardId,
  command: Command,
  event: Event,
  state: State,
  rejection: NotEnough,
  initial: { balance: 0 }
}
const decide = (command: typeof Command.Type) =>
  command._tag === "Issue" ? Aggregate.accept({ _tag: "Issued", cents: command.cents }) : Aggregate.accept()
const evolve = (state: typeof State.Type) => state

class Cards extends Aggregate.Service<Cards>()("card", { ...right, decide, evolve }) {}
class Pots extends Aggregate.Service<Pots>()("pot", { ...right, id: PotId, decide, evolve }) {}
class CardsApi extends HttpApi.make("cards").add(AggregateApi.group(Cards)) {}

// The definition.

export class WrongRejection extends Aggregate.Service<WrongRejection>()("card", {
  ...right,
  evolve,
  // error: Property 'balance' is missing in type 'Expired' but required in type 'NotEnough'
  decide: () => Aggregate.reject(new Expired())
}) {}

export class UndeclaredRejection extends Aggregate.Service<UndeclaredRejection>()("card", {
  id: CardId,
  command: Command,
  event: Event,
  state: State,
  initial: { balance: 0 },
  evolve,
  // error: Property '"name the error class in the definition, as `rejection`"' is missing in type 'NotEnough'
  decide: () => Aggregate.reject(new NotEnough({ balance: 0 }))
}) {}

export class ThrownRejection extends Aggregate.Service<ThrownRejection>()("card", {
  ...right,
  evolve,
  // error: Type 'NotEnough' is not assignable to type 'Result<readonly
  decide: () => new NotEnough({ balance: 0 })
}) {}

export class UnknownEvent extends Aggregate.Service<UnknownEvent>()("card", {
  ...right,
  evolve,
  // error: Type '{ readonly _tag: "Isued"; readonly cents: number; }' is not assignable
  decide: ({ cents }) => Aggregate.accept({ _tag: "Isued", cents })
}) {}

export class IncompleteEvent extends Aggregate.Service<IncompleteEvent>()("card", {
  ...right,
  evolve,
  // error: Property 'cents' is missing in type '{ readonly _tag: "Issued"; }'
  decide: () => Aggregate.accept({ _tag: "Issued" })
}) {}

export class BareEvent extends Aggregate.Service<BareEvent>()("card", {
  ...right,
  evolve,
  // error: Type '"Issued"' is not assignable to type '"Failure" | "Success"'
  decide: ({ cents }) => ({ _tag: "Issued", cents })
}) {}

export class UndecidedCommand extends Aggregate.Service<UndecidedCommand>()("card", {
  ...right,
  evolve,
  // error: Type 'undefined' is not assignable to type 'Result<readonly
  decide: (command) => {
    switch (command._tag) {
      case "Issue":
        return Aggregate.accept({ _tag: "Issued", cents: command.cents })
    }
  }
}) {}

export class ForgottenEvent extends Aggregate.Service<ForgottenEvent>()("card", {
  ...right,
  decide,
  // error: Type 'undefined' is not assignable to type '{ readonly balance: number; }'
  evolve: (state, event) => {
    switch (event._tag) {
      case "Issued":
        return { balance: state.balance + event.cents }
    }
  }
}) {}

export class WrongState extends Aggregate.Service<WrongState>()("card", {
  ...right,
  decide,
  // error: Type 'string' is not assignable to type 'number'
  evolve: (state) => ({ balance: `${state.balance}` })
}) {}

export class WrongInitial extends Aggregate.Service<WrongInitial>()("card", {
  ...right,
  decide,
  evolve,
  // error: Property 'balance' is missing in type '{}' but required in type '{ readonly balance: number; }'
  initial: {}
}) {}

// error: Property 'evolve' is missing
export class WithoutEvolve extends Aggregate.Service<WithoutEvolve>()("card", { ...right, decide }) {}

export class UnknownOfDefinition extends Aggregate.Service<UnknownOfDefinition>()("card", {
  ...right,
  decide,
  evolve,
  // error: 'snapshots' does not exist in type 'Definition<
  snapshots: { every: 100, foldVersion: 1 }
}) {}

export class TypeForSchema extends Aggregate.Service<TypeForSchema>()("card", {
  ...right,
  decide,
  evolve: (state) => state,
  // error: 'balance' does not exist in type 'Codec<
  state: { balance: 0 }
}) {}

export class UntaggedCommand extends Aggregate.Service<UntaggedCommand>()("card", {
  ...right,
  decide: () => Aggregate.accept(),
  evolve,
  // error: Property '_tag' is missing in type '{ readonly cents: number; }' but required in type 'Tagged'
  command: Schema.Struct({ cents: Schema.Int })
}) {}

export class WrongUpcaster extends Aggregate.Service<WrongUpcaster>()("card", {
  ...right,
  decide,
  evolve,
  // error: Property 'cents' is missing in type '{ euros: number; }'
  upcasters: { Redeemed: Upcaster.since(Schema.Struct({ euros: Schema.Int })).now(({ euros }) => ({ euros })) }
}) {}

export class UpcasterOfNothing extends Aggregate.Service<UpcasterOfNothing>()("card", {
  ...right,
  decide,
  evolve,
  // error: Did you mean to write 'Redeemed'?
  upcasters: { Redemed: Upcaster.since(Schema.Struct({ cents: Schema.Int })).now(({ cents }) => ({ cents })) }
}) {}

// The service.

const id = CardId.make("a")

export const calls = Effect.gen(function* () {
  const cards = yield* Cards
  // error: Argument of type 'string' is not assignable to parameter of type 'string & Brand<"CardId">'
  yield* cards.get("a")
  // error: Argument of type 'string & Brand<"PotId">' is not assignable to parameter of type 'string & Brand<"CardId">'
  yield* cards.get(PotId.make("a"))
  // error: Type '"Refund"' is not assignable to type '"Issue" | "Redeem"'
  yield* cards.send(id, { _tag: "Refund", cents: 5 })
  // error: Type 'string' is not assignable to type 'number'
  yield* cards.send(id, { _tag: "Redeem", cents: "5" })
  // error: Did you mean to write 'idempotencyKey'?
  yield* cards.send(id, { _tag: "Redeem", cents: 5 }, { idempotencykey: "k" })
  // error: Type '"3"' is not assignable to type 'Precondition'
  yield* cards.send(id, { _tag: "Redeem", cents: 5 }, { ifVersion: "3" })
  // error: Argument of type 'string & Brand<"CardId">' is not assignable to parameter of type 'string & Brand<"PotId">'
  yield* cards.send(id, { _tag: "Redeem", cents: 5 }, { guards: [Pots.guard(id, 1)] })
  // error: Argument of type '"Expired"' is not assignable to parameter of type '"AggregateSuspended" |
  yield* Effect.catchTag(cards.send(id, { _tag: "Redeem", cents: 5 }), "Expired", () => Effect.void)
})

// Layers.

const program = Effect.flatMap(Cards, (cards) => cards.get(id))

// error: Type 'Cards' is not assignable to type 'never'
Effect.runPromise(program)

// error: Type 'AggregateHost' is not assignable to type 'never'
Effect.runPromise(Effect.provide(program, Cards.layer))

// error: Type 'Cards' is not assignable to type 'never'
Effect.runPromise(Effect.provide(program, EventSourcing.layerMemory))

// HTTP and the client.

// error: Type '"cards"' is not assignable to type '`/${string}`'
AggregateApi.group(Cards, { path: "cards" })

// error: Did you mean to write 'path'?
AggregateApi.group(Cards, { pth: "/cards" })

// error: Type '"pot"' is not assignable to type '"card"'
AggregateHandlers.layer(CardsApi, Pots)

// error: Did you mean to write 'baseUrl'?
AggregateClient.layer(Cards, { baseURL: "http://127.0.0.1" })

// error: Type 'Service<"cards", "card">' is not assignable to type 'never'
Effect.runFork(Layer.launch(Server.serve(CardsApi, { host: "127.0.0.1", port: 0 })))

// A fold and its queries.

const fold = {
  version: 1,
  from: [Cards],
  row: Schema.Struct({ city: Schema.String, tags: Schema.Array(Schema.String) })
}

Projection.fold("cards", {
  ...fold,
  // error: Type '"cty"' is not assignable to type '"city"'
  fields: ["cty"],
  evolve: (row) => row
})

Projection.fold("cards", {
  ...fold,
  // error: Type '"tags"' is not assignable to type '"city"'
  fields: ["tags"],
  evolve: (row) => row
})

Projection.fold("cards", {
  ...fold,
  // error: Type 'undefined' is not assignable to type
  evolve: (row, { event }) => {
    switch (event._tag) {
      case "Issued":
        return row
    }
  }
})

Projection.fold("cards", {
  ...fold,
  // error: Property 'tags' is missing in type '{ city: string; }' but required in type
  evolve: () => ({ city: "London" })
})

Projection.fold("cards", {
  ...fold,
  // error: Property 'euros' does not exist on type
  evolve: (row, { event }) => row && { ...row, city: `${event.euros}` }
})

const CardRows = Projection.fold("cards", { ...fold, fields: ["city"], evolve: (row) => row })
const Both = Projection.fold("both", { ...fold, from: [Cards, Pots], fields: ["city"], evolve: (row) => row })

export const reads = Effect.gen(function* () {
  const rows = yield* CardRows.queries
  // error: Argument of type 'string' is not assignable to parameter of type 'string & Brand<"CardId">'
  yield* rows.get("a")
  // error: 'tags' does not exist in type
  yield* rows.list({ filter: { tags: "red" } })
  // error: Type 'number' is not assignable to type 'string | readonly string[]
  yield* rows.list({ filter: { city: 1 } })
  // error: Type '"tags"' is not assignable to type '"-city" | "-id" | "city" | "id"
  yield* rows.list({ sort: "tags" })
  // error: Object is possibly 'undefined'
  return (yield* rows.get(id)).row.city
})

export const unsaid = Effect.gen(function* () {
  const rows = yield* Both.queries
  // error: Expected 1 arguments, but got 0
  yield* rows.list()
  // error: Type '"bowl"' is not assignable to type '"card" | "pot"'
  yield* rows.get(id, { category: "bowl" })
})

// error: Type 'FoldReads' is not assignable to type 'never'
Effect.runPromise(reads)
