/** Writes a push as one server-sent event or as one text message of a WebSocket, and reads it back for clients. */
import { Schema } from "effect"
import { Sse } from "effect/encoding"
import type { PublishedEvent } from "../../aggregate/PublishedEvent.ts"
import { positionOf, type Push } from "../../orders/Subscription.ts"
import * as CloudEvent from "./CloudEvent.ts"

/** `ahead` means that the order view does not have the event yet. */
export const PushedCloudEvent = Schema.Struct({
  ...CloudEvent.CloudEvent.fields,
  ahead: Schema.optionalKey(Schema.Literal(true))
}).annotate({ identifier: "PushedCloudEvent" })
export type PushedCloudEvent = typeof PushedCloudEvent.Type

/** A client that continues after `position` misses nothing. */
export const Control = Schema.Struct({
  control: Schema.Literals(["caught-up", "heartbeat"]),
  position: Schema.Int
}).annotate({ identifier: "PushControl" })

export const PushMessage = Schema.Union([PushedCloudEvent, Control])

/** Each event is encoded once, however many clients get it. */
const encoded = new WeakMap<PublishedEvent, string>()

const eventText = (event: PublishedEvent): string => {
  const known = encoded.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(CloudEvent.fromEvent(event))
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
  if (push._tag !== "Event") return JSON.stringify({ control: nameOf(push), position: Number(push.position) })
  return push.ahead ? JSON.stringify({ ...CloudEvent.fromEvent(push.event), ahead: true }) : eventText(push.event)
}

export const toSse = (push: Push): string =>
  Sse.encoder.write({ _tag: "Event", id: String(positionOf(push)), event: nameOf(push), data: toText(push) })

export const toPush = (message: typeof PushMessage.Type): Push => {
  if ("control" in message) {
    const _tag = message.control === "caught-up" ? "CaughtUp" : "Heartbeat"
    return { _tag, position: BigInt(message.position) }
  }
  const { ahead = false, ...event } = message
  return { _tag: "Event", event: CloudEvent.toEvent(event), ahead }
}
