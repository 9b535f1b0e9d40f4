/** An aggregate of your own on the kernel, with an HTTP API of its own: gift cards. */
import { Effect, Layer, Result, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import {
  type Aggregate,
  CommandIdReused,
  type CommandOptions,
  Commands,
  EventCodec,
  type IdempotencyError,
  InvalidIdempotencyKey,
  type SendError,
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

/** Stands for all errors of the kernel to which a caller of this API can only respond by trying again. */
class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {}, { httpApiStatus: 503 }) {}

const publicError = (error: NotEnough | SendError | IdempotencyError) => {
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

const params = { id: Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,32}$/)) }

export class GiftCardApi extends HttpApi.make("giftcards").add(
  HttpApiGroup.make("cards").add(
    HttpApiEndpoint.put("issue", "/giftcards/:id", {
      params,
      payload: Schema.Struct({ cents: Cents }),
      success: Receipt,
      error
    }),
    HttpApiEndpoint.post("redeem", "/giftcards/:id/redemptions", {
      params,
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
    const commands = yield* Commands
    const submit = (id: string, command: GiftCardCommand, options?: CommandOptions) =>
      commands
        .submit({
          aggregate: GiftCard,
          idOf: () => id,
          scope: [command._tag, id],
          request: command,
          options,
          command: Effect.succeed(command),
          receipt: ({ balance }) => ({ balance })
        })
        .pipe(
          Effect.map(({ receipt: { balance, version } }) => ({ balance, version })),
          Effect.mapError(publicError)
        )

    return handlers.handleAll({
      issue: ({ params: { id }, payload }) => submit(id, { _tag: "Issue", ...payload }),
      redeem: ({ headers, params: { id }, payload }) =>
        submit(id, { _tag: "Redeem", ...payload }, { idempotencyKey: headers["idempotency-key"] })
    })
  })
)

/** Serves the API. Needs an HTTP server and the kernel, such as `EventSourcing.layerPglite(directory)`. */
export const layer = HttpRouter.serve(HttpApiBuilder.layer(GiftCardApi).pipe(Layer.provide(handlers)))
