/** Writes a push as one server-sent event or as one text message of a WebSocket, and reads it back for clients. */
import { Schema } from "effect"
import { Sse } from "effect/encoding"
import type { PublishedEvent } from "../../aggregate/PublishedEvent.ts"
import type { Push } from "../../orders/Subscription.ts"
import * as CloudEvent from "./CloudEvent.ts"

const after = Schema.optionalKey(
  Schema.String.annotate({
    description: "A stream that goes on after this position misses nothing.",
    examples: ["1042.5f2c9a1b3d4e"]
  })
)

/**
 * `ahead` means that the order view does not have the event yet; `after` is the position of the event, to go on after.
 */
export const PushedCloudEvent = Schema.Struct({
  ...CloudEvent.CloudEvent.fields,
  after,
  ahead: Schema.optionalKey(Schema.Literal(true))
}).annotate({ identifier: "PushedCloudEvent" })
export type PushedCloudEvent = typeof PushedCloudEvent.Type

/** A client that continues after `after` misses nothing; `position` is its number. */
export const Control = Schema.Struct({
  control: Schema.Literals(["caught-up", "heartbeat"]),
  position: Schema.Int,
  after
}).annotate({ identifier: "PushControl" })

export const PushMessage = Schema.Union([PushedCloudEvent, Control])

/** Each event is encoded once, however many clients get it. */
const encoded = new WeakMap<PublishedEvent, string>()

/** Writes an event as everybody is sent it who follows the log from outside: by streams, by webhooks and by Kafka. */
export const eventText = (event: PublishedEvent, after: string): string => {
  const known = encoded.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify({ ...CloudEvent.fromEvent(event), after })
  encoded.set(event, text)
  return text
}

const nameOf = (push: Push): string => {
  switch (push._tag) {
    case "Event":
      return push.event.type
    case "CaughtUp":
      return "caught-up"
    case "Heartbeat":
      return "heartbeat"
  }
}

export const toText = (push: Push): string => {
  const { token: after } = push
  if (push._tag !== "Event") return JSON.stringify({ control: nameOf(push), position: Number(push.position), after })
  if (!push.ahead) return eventText(push.event, after)
  return JSON.stringify({ ...CloudEvent.fromEvent(push.event), after, ahead: true })
}

export const toSse = (push: Push): string =>
  Sse.encoder.write({ _tag: "Event", id: push.token, event: nameOf(push), data: toText(push) })

/** A message of an older server has only the number of its position. */
export const toPush = (message: typeof PushMessage.Type): Push => {
  if ("control" in message) {
    const _tag = message.control === "caught-up" ? "CaughtUp" : "Heartbeat"
    return { _tag, position: BigInt(message.position), token: message.after ?? String(message.position) }
  }
  const { after, ahead = false, ...cloudEvent } = message
  const event = CloudEvent.toEvent(cloudEvent)
  return { _tag: "Event", event, ahead, token: after ?? String(event.position) }
}
