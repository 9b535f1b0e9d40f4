/** An aggregate of your own on the kernel, with an HTTP API of its own: gift cards. */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import {
  Aggregate,
  type CommandFailure,
  CommandIdReused,
  type GuardMoved,
  InvalidIdempotencyKey,
  Upcaster
} from "ordinal/aggregate"

const CardId = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,32}$/)).pipe(Schema.brand("CardId"))

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))
const Balance = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))

// Commands, events, state. Events are the storage format: never edit one that has shipped.
const GiftCardCommand = Schema.TaggedUnion({
  Issue: { cents: Cents },
  Redeem: { cents: Cents, till: Schema.String }
})

const GiftCardEvent = Schema.TaggedUnion({
  Issued: { cents: Cents },
  Redeemed: { cents: Cents, till: Schema.String }
})

/** Version 1 of the event counted in whole euros and did not name the till. */
const RedeemedV1 = Schema.Struct({ euros: Schema.Int })

export class NotEnough extends Schema.TaggedError<NotEnough>()(
  "NotEnough",
  { balance: Schema.Int },
  { httpApiStatus: 409 }
) {}

export class GiftCards extends Aggregate.Service<GiftCards>()("giftcard", {
  id: CardId,
  command: GiftCardCommand,
  event: GiftCardEvent,
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

// The API: first its definition, then its handlers.
const Receipt = Schema.Struct({ balance: Schema.Int, version: Schema.Int })

/** Stands for all errors of the kernel to which a caller of this API can only respond by trying again. */
class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {}, { httpApiStatus: 503 }) {}

const publicError = (error: NotEnough | CommandFailure | GuardMoved) => {
  switch (error._tag) {
    case "NotEnough":
    case "CommandIdReused":
    case "InvalidIdempotencyKey":
      return error
    default:
      return new Unavailable()
  }
}

const error = [NotEnough, CommandIdReused, InvalidIdempotencyKey, Unavailable]

export class GiftCardApi extends HttpApi.make("giftcards").add(
  HttpApiGroup.make("cards").add(
    HttpApiEndpoint.put("issue", "/giftcards/:id", {
      params: { id: CardId },
      payload: Schema.Struct({ cents: Cents }),
      success: Receipt,
      error
    }),
    HttpApiEndpoint.post("redeem", "/giftcards/:id/redemptions", {
      params: { id: CardId },
      headers: { "idempotency-key": Schema.NonEmptyString },
      payload: Schema.Struct({ cents: Cents, till: Schema.String }),
      success: Receipt,
      error
    })
  )
) {}

const handlers = HttpApiBuilder.group(
  GiftCardApi,
  "cards",
  Effect.fnUntraced(function* (handlers) {
    const cards = yield* GiftCards
    const send = (...command: Parameters<typeof cards.send>) =>
      cards.send(...command).pipe(
        Effect.map(({ state: { balance }, version }) => ({ balance, version })),
        Effect.mapError(publicError)
      )

    return handlers.handleAll({
      issue: ({ params: { id }, payload }) => send(id, { _tag: "Issue", ...payload }),
      redeem: ({ headers, params: { id }, payload }) =>
        send(id, { _tag: "Redeem", ...payload }, { idempotencyKey: headers["idempotency-key"] })
    })
  })
)

/** Serves the API. Needs an HTTP server and the kernel, such as `EventSourcing.layerPglite(directory)`. */
export const layer = HttpRouter.serve(
  HttpApiBuilder.layer(GiftCardApi).pipe(Layer.provide(handlers), Layer.provide(GiftCards.layer))
)
