/** Follows events as they happen, also across losses of the connection: `ordinal tail`. */
import { Console, Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpClient } from "effect/http"
import * as EventStreamClient from "../../../http/client/EventStreamClient.ts"
import { toText } from "../../../http/wire/PushMessage.ts"
import { positionText, type Push } from "../../../orders/Subscription.ts"
import { explained } from "../Failures.ts"
import * as Output from "../Output.ts"
import * as RunningServer from "../RunningServer.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description))

const line = (push: Push) => {
  if (push._tag !== "Event") return Effect.void
  const { actor, position, recordedAt, streamId, type, version } = push.event
  return Console.log([recordedAt, position, type, streamId, `v${version}`, actor ?? ""].join(" ").trim())
}

const flags = {
  after: text("after", "position", "begin after this position, 0 being the beginning; now without it").pipe(
    Flag.filter(
      (given) => positionText.test(given),
      (given) => `"${given}" is no position such as 17 or 17.0123456789ab`
    ),
    Flag.optional
  ),
  order: Flag.optional(text("order", "id", "events of this order alone")),
  customer: Flag.optional(text("customer", "id", "events of this customer's orders alone")),
  type: text("type", "type", "events of this type alone, as in order.placed.v1; may be given several times").pipe(
    Flag.atLeast(0)
  ),
  category: Flag.Literals("category", ["order", "product", "customer"]).pipe(
    Flag.withDescription("events of these streams; order without it; may be given several times"),
    Flag.atLeast(0)
  ),
  follow: Flag.Boolean("follow").pipe(
    Flag.withDescription("go on with new events; --no-follow ends when what was there is told"),
    Flag.withDefault(true)
  ),
  ...RunningServer.publicFlags,
  json: Output.jsonFlag.pipe(Flag.withDescription("print each event as a CloudEvent in JSON, on a line of its own"))
}

const given = <Name extends string>(name: Name, value: Option.Option<string>) =>
  Option.isSome(value) ? { [name]: value.value } : {}

export const command = Command.make("tail", flags, ({ after, category, customer, follow, json, order, type, ...at }) =>
  Effect.gen(function* () {
    const { base, client } = yield* RunningServer.atPublic(at)
    const subscribe = yield* EventStreamClient.make({ url: base }).pipe(
      Effect.provideService(HttpClient.HttpClient, client)
    )
    const pushes = yield* subscribe({
      ...given("after", after),
      ...given("orderId", order),
      ...given("customerId", customer),
      ...(type.length === 0 ? {} : { types: type }),
      ...(category.length === 0 ? {} : { categories: category })
    })
    const wanted = follow ? pushes : Stream.takeUntil(pushes, ({ _tag }) => _tag === "CaughtUp")
    const print = json ? (push: Push) => (push._tag === "Event" ? Console.log(toText(push)) : Effect.void) : line
    yield* Stream.runForEach(wanted, print)
  }).pipe(Effect.scoped, explained("The events can't be followed."))
).pipe(Command.withDescription("Follows events as they happen, until it is stopped."))
