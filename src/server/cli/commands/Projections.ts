/** Asks the operators' port about projections, and pauses, resumes, rebuilds and audits them: `ordinal projections`. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as View from "../../../http/admin/AdminViews.ts"
import { explained } from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as RunningServer from "../RunningServer.ts"

const flags = { ...RunningServer.adminFlags, json: Output.jsonFlag }
const name = Argument.String("name").pipe(Argument.withDescription("the projection, as `projections list` names it"))

const pathOf = (name: string, action: string) => `/admin/projections/${encodeURIComponent(name)}/${action}`

const row = (one: typeof View.ProjectionView.Type) => [
  one.name,
  one.kind,
  one.status,
  `${one.position} of ${one.head}`,
  `${one.parked} parked`,
  one.problem ?? ""
]

const list = Command.make("list", flags, ({ json, ...given }) =>
  Effect.gen(function* () {
    const server = yield* RunningServer.atAdmin(given)
    const answer = yield* server.ask("GET", "/admin/projections")
    if (json) return yield* Output.json(answer)
    const { data } = yield* RunningServer.understood(View.listOf(View.ProjectionView))(answer)
    yield* Output.table([["NAME", "KIND", "STATUS", "POSITION", "PARKED", "PROBLEM"], ...data.map(row)])
  }).pipe(explained("The projections can't be listed."))
).pipe(Command.withDescription("Lists projections and subscriptions: how far each is, and what holds it up."))

const change = (action: "pause" | "resume", description: string) =>
  Command.make(action, { name, ...flags }, ({ json, name, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atAdmin(given)
      const answer = yield* server.ask("POST", pathOf(name, action))
      if (json) return yield* Output.json(answer)
      yield* Output.table([row(yield* RunningServer.understood(View.ProjectionView)(answer))])
    }).pipe(explained(`${name} is as it was.`))
  ).pipe(Command.withDescription(description))

const Rebuild = View.RebuildView
const open: ReadonlySet<string> = new Set(["running", "paused"])

/** Follows the rebuild until it has ended or can't go on. */
const follow = Effect.fnUntraced(function* (server: RunningServer.RunningServer, id: string, isQuiet: boolean) {
  const progress = yield* Progress.make("events")
  const look = Effect.flatMap(server.ask("GET", `/admin/rebuilds/${id}`), (answer) =>
    Effect.map(RunningServer.understood(Rebuild)(answer), (rebuild) => ({ answer, rebuild }))
  )
  while (true) {
    const { answer, rebuild } = yield* look
    const { etaSeconds, position, rate, target } = rebuild
    if (!isQuiet) yield* progress.report({ done: Number(position), total: Number(target), rate, etaSeconds })
    if (!open.has(rebuild.state)) {
      yield* progress.end
      return { answer, rebuild }
    }
    yield* Effect.sleep("250 millis")
  }
})

const rebuild = Command.make(
  "rebuild",
  {
    name,
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("follow the rebuild until it has ended; --no-wait only starts it"),
      Flag.withDefault(true)
    ),
    rate: Flag.Int("events-per-second").pipe(
      Flag.withMetavar("integer"),
      Flag.withDescription("how fast it goes; 0 for as fast as it can; the server's REBUILD_RATE without it"),
      Flag.optional
    ),
    ...flags
  },
  ({ json, name, rate, wait, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atAdmin(given)
      const body = JSON.stringify(Option.isSome(rate) ? { eventsPerSecond: rate.value } : {})
      const started = yield* server.ask("POST", pathOf(name, "rebuild"), { body })
      const { id } = yield* RunningServer.understood(Rebuild)(started)
      if (!wait) return yield* json ? Output.json(started) : Console.log(`Rebuild ${id} of ${name} has begun.`)
      const { answer, rebuild } = yield* follow(server, id, json)
      if (json) yield* Output.json(answer)
      if (rebuild.state !== "completed") {
        const problem = `Rebuild ${id} is ${rebuild.state}: ${rebuild.problem ?? "see the server's log"}.`
        return yield* new RunningServer.ServerRefused({ problem: problem.replace(/\.\.$/, ".") })
      }
      if (!json) yield* Console.log(`Rebuilt ${name}: ${rebuild.compared} rows were compared with the log.`)
    }).pipe(explained(`${name} was not rebuilt.`))
).pipe(
  Command.withDescription(
    "Builds a view anew beside the one that serves, which it then replaces. The rebuild goes on if this command is stopped."
  )
)

const Audit = Schema.Struct({ compared: Schema.Int, data: Schema.Array(View.DifferenceView) })

const audit = Command.make(
  "audit",
  {
    name,
    streams: Flag.Int("streams").pipe(
      Flag.withMetavar("integer"),
      Flag.withDescription("so many rows, picked at random; 100 without it"),
      Flag.optional
    ),
    stream: Flag.String("stream").pipe(
      Flag.withMetavar("id"),
      Flag.withDescription("the row of this stream alone, such as order-ord_…"),
      Flag.optional
    ),
    ...flags
  },
  ({ json, name, stream, streams, ...given }) =>
    Effect.gen(function* () {
      const server = yield* RunningServer.atAdmin(given)
      const body = JSON.stringify({
        ...(Option.isSome(stream) ? { streamId: stream.value } : {}),
        ...(Option.isSome(streams) ? { streams: streams.value } : {})
      })
      const answer = yield* server.ask("POST", pathOf(name, "audit"), { body })
      const { compared, data } = yield* RunningServer.understood(Audit)(answer)
      if (json) yield* Output.json(answer)
      else if (data.length > 0) {
        const rows = data.map(({ field, inLog, inView, kind, streamId }) => {
          const values = [inView, inLog].map((value) => JSON.stringify(value ?? null))
          return [streamId, kind, field, ...values]
        })
        yield* Output.table([["STREAM", "KIND", "FIELD", "IN VIEW", "IN LOG"], ...rows])
      }
      if (data.length > 0) {
        const problem = `${data.length} differences in ${compared} rows. Repair them, or rebuild the view.`
        return yield* new RunningServer.ServerRefused({ problem })
      }
      if (!json) yield* Console.log(`${compared} rows of ${name} are what the log says.`)
    }).pipe(explained(`The audit of ${name} did not end well.`))
).pipe(Command.withDescription("Compares rows of a view with the log. Exits with 1 if any differs."))

export const command = Command.make("projections").pipe(
  Command.withDescription("Lists, pauses, resumes, rebuilds and audits what follows the log."),
  Command.withSubcommands([
    list,
    change("pause", "Pauses a projection: it applies nothing until it is resumed."),
    change("resume", "Resumes a projection, also after it has stopped, once the cause is removed."),
    rebuild,
    audit
  ])
)
