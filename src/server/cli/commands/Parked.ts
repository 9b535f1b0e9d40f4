/** Asks the operators' port about streams that are set aside, and has them retried or an event skipped: `ordinal parked`. */
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as View from "../../../http/admin/AdminViews.ts"
import { explained } from "../Failures.ts"
import * as Output from "../Output.ts"
import * as RunningServer from "../RunningServer.ts"

const flags = { ...RunningServer.adminFlags, json: Output.jsonFlag }
const id = Argument.String("id").pipe(Argument.withDescription("the parked stream, as `parked list` names it"))

const pathOf = (id: string, action: string) => `/admin/parked/${encodeURIComponent(id)}/${action}`

const Parked = View.listOf(View.ParkedView)

const list = Command.make("list", flags, ({ json, ...given }) =>
  Effect.gen(function* () {
    const server = yield* RunningServer.atAdmin(given)
    const answer = yield* server.ask("GET", "/admin/parked")
    if (json) return yield* Output.json(answer)
    const { data } = yield* RunningServer.understood(Parked)(answer)
    if (data.length === 0) return yield* Console.log("No stream is parked.")
    const rows = data.map(({ id, parked, projection, reason, streamId, version }) => [
      id,
      projection,
      streamId,
      parked ? `parked at ${version}` : "goes on without skipped events",
      reason
    ])
    yield* Output.table([["ID", "PROJECTION", "STREAM", "STATE", "REASON"], ...rows])
  }).pipe(explained("The parked streams can't be listed."))
).pipe(Command.withDescription("Lists streams that are parked, or go on without events that were skipped."))

const show = Command.make("show", { id, ...flags }, ({ id, json, ...given }) =>
  Effect.gen(function* () {
    const server = yield* RunningServer.atAdmin(given)
    const { data } = yield* Effect.flatMap(server.ask("GET", "/admin/parked"), RunningServer.understood(Parked))
    const found = data.find((one) => one.id === id)
    if (found === undefined) {
      const problem = `No stream is parked under ${id}; perhaps it was retried or skipped meanwhile.`
      return yield* new RunningServer.ServerRefused({ problem })
    }
    yield* json ? Output.json(found) : Output.plain(found)
  }).pipe(explained("The parked stream can't be shown."))
).pipe(Command.withDescription("Shows one parked stream: where it stands, since when, and why."))

const retry = Command.make("retry", { id, ...flags }, ({ id, json, ...given }) =>
  Effect.gen(function* () {
    const server = yield* RunningServer.atAdmin(given)
    yield* server.ask("POST", pathOf(id, "retry"))
    yield* json ? Output.json({ id, outcome: "retried" }) : Console.log("What was held back is applied.")
  }).pipe(explained("The stream stays parked."))
).pipe(Command.withDescription("Applies what was held back, in order."))

const skip = Command.make(
  "skip",
  {
    id,
    at: Flag.Int("at").pipe(
      Flag.withMetavar("integer"),
      Flag.withDescription(
        "the event's version, where the stream is parked; without it, a repeated command may drop the event after it"
      ),
      Flag.optional
    ),
    ...flags
  },
  ({ at, id, json, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atAdmin(given)
      const body = JSON.stringify(Option.isSome(at) ? { version: at.value } : {})
      yield* server.ask("POST", pathOf(id, "skip"), { body })
      yield* json ? Output.json({ id, outcome: "skipped" }) : Console.log("The event is dropped, and the rest applied.")
    }).pipe(explained("Nothing was skipped."))
).pipe(Command.withDescription("Drops the one event that fails, for good, and applies the rest."))

export const command = Command.make("parked").pipe(
  Command.withDescription("Lists streams that a projection set aside, and lets them go on."),
  Command.withSubcommands([list, show, retry, skip])
)
