/** Reads and places orders at a running server: `ordinal orders`. */
import { Console, Effect, FileSystem, Option, Schema, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CloudEvent } from "../../../http/wire/CloudEvent.ts"
import { explained } from "../Failures.ts"
import * as Output from "../Output.ts"
import * as RunningServer from "../RunningServer.ts"

const flags = { ...RunningServer.publicFlags, json: Output.jsonFlag }
const id = Argument.String("id").pipe(Argument.withDescription("the order, as in ord_…"))

const pathOf = (id: string, rest = "") => `/orders/${encodeURIComponent(id)}${rest}`

const show = Command.make(
  "show",
  {
    id,
    at: Flag.Int("at").pipe(
      Flag.withMetavar("integer"),
      Flag.withDescription("the order as it was at this version"),
      Flag.optional
    ),
    ...flags
  },
  ({ at, id, json, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atPublic(given)
      const order = yield* server.ask("GET", pathOf(id, Option.isSome(at) ? `/versions/${at.value}` : ""))
      yield* json ? Output.json(order) : Output.plain(order)
    }).pipe(explained("The order can't be shown."))
).pipe(Command.withDescription("Shows an order, now or as it was at a version."))

const pageSize = 500

const history = Command.make("history", { id, ...flags }, ({ id, json, ...given }) =>
  Effect.gen(function* () {
    const server = yield* RunningServer.atPublic(given)
    const events: Array<unknown> = []
    while (true) {
      const page = yield* server.ask("GET", pathOf(id, `/events?limit=${pageSize}&after=${events.length}`), {
        headers: { accept: "application/cloudevents-batch+json" }
      })
      const part = yield* RunningServer.understood(Schema.Array(Schema.Unknown))(page)
      events.push(...part)
      if (part.length < pageSize) break
    }
    if (json) return yield* Output.json(events)
    const read = yield* RunningServer.understood(Schema.Array(CloudEvent))(events)
    const rows = read.map(({ actor = "", data, streamversion, time, type }) => [
      String(streamversion),
      time,
      type,
      actor,
      JSON.stringify(data)
    ])
    yield* Output.table(rows)
  }).pipe(explained("The order's history can't be shown."))
).pipe(Command.withDescription("Shows all events of an order: what happened, when and by whom."))

/** Reads the file, or the standard input for `-`. */
const textOf = Effect.fnUntraced(function* (file: string) {
  if (file !== "-") return yield* (yield* FileSystem.FileSystem).readFileString(file)
  return yield* Stream.mkString(Stream.decodeText((yield* Stdio.Stdio).stdin))
})

const Placed = Schema.Struct({ orderId: Schema.String, version: Schema.Int })

const place = Command.make(
  "place",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("the body of POST /orders, as JSON; - for the standard input")
    ),
    key: Flag.String("idempotency-key").pipe(
      Flag.withMetavar("text"),
      Flag.withDescription("places the order once, however often this command is repeated"),
      Flag.optional
    ),
    ...flags
  },
  ({ file, json, key, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atPublic(given)
      const body = yield* textOf(file)
      const placed = yield* server.ask("POST", "/orders", {
        body,
        headers: Option.isSome(key) ? { "idempotency-key": JSON.stringify(key.value) } : {}
      })
      if (json) return yield* Output.json(placed)
      const { orderId, version } = yield* RunningServer.understood(Placed)(placed)
      yield* Console.log(`Placed ${orderId}, version ${version}.`)
    }).pipe(explained("The order was not placed."))
).pipe(Command.withDescription("Places the order of a file."))

export const command = Command.make("orders").pipe(
  Command.withDescription("Shows an order or its history, or places one."),
  Command.withSubcommands([show, history, place])
)
