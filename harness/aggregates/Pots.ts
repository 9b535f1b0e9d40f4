/** Pots of coins: a small aggregate with all that a definition can have, its HTTP API, and a server of it in memory. */
import { Effect, Layer, Schema } from "effect"
import { HttpServer } from "effect/http"
import { HttpApi } from "effect/http-api"
import * as Aggregate from "../../src/aggregate/Aggregate.ts"
import * as AggregateApi from "../../src/http/aggregate/AggregateApi.ts"
import * as AggregateHandlers from "../../src/http/aggregate/AggregateHandlers.ts"
import { HttpLimits } from "../../src/http/listener/HttpLimits.ts"
import * as Server from "../../src/http/listener/Server.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import { patientLimits, portOf } from "../servers/ApiServer.ts"

export const PotId = Schema.String.check(Schema.isPattern(/^[a-z]{1,8}$/)).pipe(Schema.brand("PotId"))
const Coins = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))

export class TooFew extends Schema.TaggedError<TooFew>()("TooFew", { coins: Schema.Int }, { httpApiStatus: 422 }) {
  override get message() {
    return `There are only ${this.coins} coins in the pot.`
  }
}
/** It has neither a status nor a message of its own, and a field that JSON can't hold. */
export class PotBroken extends Schema.TaggedError<PotBroken>()("PotBroken", { since: Schema.Date }) {}

export const brokenAt = new Date(Date.UTC(2026, 0, 1))

export class Pots extends Aggregate.Service<Pots>()("pot", {
  id: PotId,
  command: Schema.TaggedUnion({
    FillUp: { coins: Coins },
    Take: { coins: Coins, at: Schema.optionalKey(Schema.Date) },
    Break: {}
  }),
  event: Schema.TaggedUnion({ Filled: { coins: Coins }, Taken: { coins: Coins }, Broken: {} }),
  state: Schema.Struct({ coins: Schema.Int, isBroken: Schema.Boolean }),
  rejection: Schema.Union([TooFew, PotBroken]),
  initial: { coins: 0, isBroken: false },
  decide: (command, { coins, isBroken }) => {
    if (isBroken) return Aggregate.reject(new PotBroken({ since: brokenAt }))
    switch (command._tag) {
      case "FillUp":
        return Aggregate.accept({ _tag: "Filled", coins: command.coins })
      case "Take":
        return command.coins > coins
          ? Aggregate.reject(new TooFew({ coins }))
          : Aggregate.accept({ _tag: "Taken", coins: command.coins })
      case "Break":
        return Aggregate.accept({ _tag: "Broken" })
    }
  },
  evolve: (state, event) => {
    switch (event._tag) {
      case "Filled":
        return { ...state, coins: state.coins + event.coins }
      case "Taken":
        return { ...state, coins: state.coins - event.coins }
      case "Broken":
        return { coins: 0, isBroken: true }
    }
  }
}) {}

export class PotsApi extends HttpApi.make("pots").add(AggregateApi.group(Pots, { path: "/clay-pots" })) {}

const patience = Layer.succeed(HttpLimits, patientLimits)

/** Serves pots in memory, or those of the given service. */
export const server = <E, R>(pots: Layer.Layer<Pots, E, R>) =>
  Server.serve(PotsApi, { host: "127.0.0.1", port: 0 }).pipe(
    Layer.provide(AggregateHandlers.layer(PotsApi, Pots)),
    Layer.provideMerge(pots),
    Layer.provide(patience),
    Layer.fresh
  )

export const inMemory = server(Pots.layer.pipe(Layer.provide(EventSourcing.layerMemory)))

export const url = Effect.map(HttpServer.HttpServer, (server) => `http://127.0.0.1:${portOf(server)}`)

/** Its ids may be any text, also one that is no part of a stream's name or of a path. */
export class Notes extends Aggregate.Service<Notes>()("note", {
  id: Schema.String,
  command: Schema.TaggedUnion({ Write: { text: Schema.String } }),
  event: Schema.TaggedUnion({ Written: { text: Schema.String } }),
  state: Schema.String,
  initial: "",
  decide: ({ text }) => Aggregate.accept({ _tag: "Written", text }),
  evolve: (_, { text }) => text
}) {}

export class NotesApi extends HttpApi.make("notes").add(AggregateApi.group(Notes)) {}

export const notesServer = Server.serve(NotesApi, { host: "127.0.0.1", port: 0 }).pipe(
  Layer.provide(AggregateHandlers.layer(NotesApi, Notes)),
  Layer.provideMerge(Notes.layer),
  Layer.provide(EventSourcing.layerMemory),
  Layer.provide(patience),
  Layer.fresh
)
