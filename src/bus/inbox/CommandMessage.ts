/**
 * Reads a command from a record: a CloudEvent in structured mode, or in binary mode if the record has `ce_` headers. Its
 * `data` is the body of the HTTP request for the same command; ids of the request's path are attributes.
 */
import { Effect, Exit, Option, Result, Schema } from "effect"
import { InvalidRequest, mistakesOf } from "../../aggregate/InvalidRequest.ts"
import { ContentTooLarge, maxBodyBytes } from "../../http/problems/HttpError.ts"
import * as JsonSyntax from "../../http/wire/JsonSyntax.ts"
import * as RequestBody from "../../http/wire/RequestBody.ts"
import type { StoredRecord } from "../Broker.ts"

const Text = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}\p{Cs}]{1,500}$/u, { expected: "1 to 500 characters without control characters" })
)
const optional = Schema.optionalKey

const CommandEvent = Schema.Struct({
  specversion: Schema.Literal("1.0"),
  /** No other command of the source has this id: a record with both is the same command. */
  id: Text,
  source: Text,
  /** As in `order.place`. */
  type: Text,
  /** The id of the order. */
  subject: optional(Text),
  lineid: optional(Text),
  paymentid: optional(Text),
  shipmentid: optional(Text),
  traceparent: optional(Text),
  data: optional(Schema.Json)
})
export type CommandEvent = typeof CommandEvent.Type

export interface Unreadable {
  readonly error: InvalidRequest | ContentTooLarge
  /** The record says this of itself, in so far as it can be read. */
  readonly id?: string
  readonly source?: string
  readonly subject?: string
}

const decode = Schema.decodeUnknownExit(CommandEvent, { errors: "all" })

const parse = (bytes: Uint8Array): Result.Result<unknown, InvalidRequest | ContentTooLarge> => {
  if (bytes.byteLength > maxBodyBytes) return Result.fail(new ContentTooLarge({ limit: maxBodyBytes }))
  const text = Effect.runSyncExit(RequestBody.decode(bytes))
  if (Exit.isFailure(text)) return Result.fail(Option.getOrThrow(Exit.findErrorOption(text)))
  const mistake = JsonSyntax.mistakeIn(text.value)
  return mistake === undefined
    ? Result.succeed(JSON.parse(text.value))
    : Result.fail(InvalidRequest.of("body", mistake))
}

const prefix = "ce_"

/** Gives the attributes and the data, in whichever mode the record is. */
const eventOf = ({ headers, value }: StoredRecord): Result.Result<unknown, InvalidRequest | ContentTooLarge> => {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith(prefix))
  if (attributes.length === 0) {
    return value === undefined ? Result.fail(InvalidRequest.of("body", "is missing")) : parse(value)
  }
  const event = Object.fromEntries(attributes.map(([name, text]) => [name.slice(prefix.length), text]))
  if (value === undefined || value.byteLength === 0) return Result.succeed(event)
  return Result.map(parse(value), (data) => ({ ...event, data }))
}

const textOf = (event: unknown, name: "id" | "source" | "subject") => {
  if (typeof event !== "object" || event === null) return {}
  const value: unknown = Reflect.get(event, name)
  return Schema.is(Text)(value) ? { [name]: value } : {}
}

export const read = (record: StoredRecord): Result.Result<CommandEvent, Unreadable> => {
  const event = eventOf(record)
  if (Result.isFailure(event)) return Result.fail({ error: event.failure })
  const exit = decode(event.success)
  if (Exit.isSuccess(exit)) return Result.succeed(exit.value)
  const error = Exit.findErrorOption(exit)
  const mistakes = Option.isSome(error)
    ? mistakesOf(error.value.issue)
    : [{ path: "body", message: "is no CloudEvent" }]
  const known = (["id", "source", "subject"] as const).map((name) => textOf(event.success, name))
  return Result.fail(Object.assign({ error: InvalidRequest.all(mistakes) }, ...known))
}
