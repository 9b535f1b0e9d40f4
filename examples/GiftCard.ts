/** An aggregate of your own on the kernel, with an HTTP API of its own: gift cards. */
import { Effect, Layer, Result, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import {
  type Aggregate,
  Aggregates,
  CommandIdentity,
  CommandIdReused,
  EventCodec,
  KeyedCommands,
  Upcaster
} from "ordinal/aggregate"

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))

// Commands, events, state. Events are the storage format: never edit one that has shipped.
type GiftCardCommand =
  | { readonly _tag: "Issue"; readonly cents: number }
  | { readonly _tag: "Redeem"; readonly cents: number; readonly till: string }

const GiftCardEvent = Schema.TaggedUnion({
  Issued: { cents: Cents },
  Redeemed: { cents: Cents, till: Schema.String }
})
type GiftCardEvent = typeof GiftCardEvent.Type

/** Version 1 of the event counted in whole euros and did not name the till. */
const RedeemedV1 = Schema.Struct({ euros: Schema.Int })
const upcasters = {
  Redeemed: Upcaster.since(RedeemedV1).now(({ euros }) => ({ cents: euros * 100, till: "unknown" }))
}

const GiftCardState = Schema.Struct({ issued: Schema.Boolean, balance: Schema.Int })
type GiftCardState = typeof GiftCardState.Type

export class NotEnough extends Schema.TaggedError<NotEnough>()(
  "NotEnough",
  { balance: Schema.Int },
  { httpApiStatus: 409 }
) {}

// The rules are pure functions.
const decide = (
  command: GiftCardCommand,
  { balance, issued }: GiftCardState
): Result.Result<ReadonlyArray<GiftCardEvent>, NotEnough> => {
  switch (command._tag) {
    case "Issue":
      return Result.succeed(issued ? [] : [{ _tag: "Issued", cents: command.cents }])
    case "Redeem":
      return command.cents > balance
        ? Result.fail(new NotEnough({ balance }))
        : Result.succeed([{ ...command, _tag: "Redeemed" }])
  }
}

const evolve = (state: GiftCardState, event: GiftCardEvent): GiftCardState => {
  switch (event._tag) {
    case "Issued":
      return { issued: true, balance: event.cents }
    case "Redeemed":
      return { ...state, balance: state.balance - event.cents }
  }
}

export const GiftCard: Aggregate<GiftCardState, GiftCardCommand, GiftCardEvent, NotEnough> = {
  category: "giftcard",
  decider: { initialState: { issued: false, balance: 0 }, decide, evolve },
  codec: EventCodec.make(GiftCardEvent, upcasters),
  snapshots: { every: 100, schema: GiftCardState, foldVersion: 1 }
}

// The API: first its definition, then its handlers.
const Receipt = Schema.Struct({ balance: Schema.Int, version: Schema.Int })

/** Stands for every error of the kernel that a caller of this API can do nothing about. */
class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {}, { httpApiStatus: 503 }) {}

const params = { id: Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,32}$/)) }

export class GiftCardApi extends HttpApi.make("giftcards").add(
  HttpApiGroup.make("cards").add(
    HttpApiEndpoint.put("issue", "/giftcards/:id", {
      params,
      payload: Schema.Struct({ cents: Cents }),
      success: Receipt,
      error: [NotEnough, Unavailable]
    }),
    HttpApiEndpoint.post("redeem", "/giftcards/:id/redemptions", {
      params,
      headers: { "idempotency-key": Schema.NonEmptyString },
      payload: Schema.Struct({ cents: Cents, till: Schema.String }),
      success: Receipt,
      error: [NotEnough, CommandIdReused, Unavailable]
    })
  )
) {}

const handlers = HttpApiBuilder.group(
  GiftCardApi,
  "cards",
  Effect.fnUntraced(function* (handlers) {
    const aggregates = yield* Aggregates
    const keyedCommands = yield* KeyedCommands
    const receipt = (accepted: { readonly state: GiftCardState; readonly version: number }) => ({
      balance: accepted.state.balance,
      version: accepted.version
    })
    const toApiError = <E extends { readonly _tag: string }>(error: E) =>
      error instanceof NotEnough || error instanceof CommandIdReused ? error : new Unavailable()

    return handlers.handleAll({
      issue: ({ params: { id }, payload }) =>
        aggregates
          .send(GiftCard, id, { _tag: "Issue", ...payload })
          .pipe(Effect.map(receipt), Effect.mapError(toApiError)),
      redeem: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        const identity = CommandIdentity.make(["redeem", id], headers["idempotency-key"], payload)
        const run = aggregates.sendKeyed(GiftCard, id, { _tag: "Redeem", ...payload }, { ...identity, receipt })
        const recall = (remembered: { readonly receipt: unknown }) =>
          Schema.decodeUnknownSync(Receipt)(remembered.receipt)
        const { answer } = yield* keyedCommands.once(identity, Effect.map(run, receipt), recall)
        return answer
      }, Effect.mapError(toApiError))
    })
  })
)

/** Serves the API. Needs an HTTP server and the kernel, such as `EventSourcing.layerPglite(directory)`. */
export const layer = HttpRouter.serve(HttpApiBuilder.layer(GiftCardApi).pipe(Layer.provide(handlers)))
