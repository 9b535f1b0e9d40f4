/** Runs one benchmark: `npm run bench -- <name> [--quick]`. The last line it prints is one JSON object. */
import { NodeRuntime } from "@effect/platform-node"
import { Data, Effect, Layer, Logger, References, Runtime } from "effect"
import { parseArgs } from "node:util"

interface Bench {
  readonly description: string
  readonly load: () => Promise<{ run(size: "full" | "quick" | "tiny"): Effect.Effect<unknown, unknown> }>
}

const benches = {
  commands: {
    description: "durable commands per second in process, beside one-row inserts through the same client",
    load: () => import("./commands.ts")
  },
  activate: {
    description: "the first command after a restart on an order with 10,000 events, with and without its snapshot",
    load: () => import("./activate.ts")
  },
  projection: {
    description: "events per second of the order view: catching up, and rebuilt beside what serves",
    load: () => import("./projection.ts")
  },
  http: {
    description: "requests per second over HTTP, beside a bare node:http server, Emmett with Express, and inserts",
    load: () => import("./http.ts")
  },
  push: {
    description: "milliseconds from a commit to its push at a client, over SSE and WebSocket",
    load: () => import("./push.ts")
  }
} satisfies Record<string, Bench>

const help = `npm run bench -- <name> [--quick]

${Object.entries(benches)
  .map(([name, { description }]) => `  ${name.padEnd(12)}${description}`)
  .join("\n")}

  --quick     a rough answer in under a minute
  --tiny      only shows that it runs; the figures mean nothing
  --help      this text

PostgreSQL is the one that TEST_DATABASE_URL names (a new database is made there and dropped), or one that is started
for the run. The last line is one JSON object.`

/** The command line is not one of ours. Said in one sentence, not as a stack trace. */
class Refused extends Data.TaggedError("Refused")<{ readonly problem: string }> {
  override readonly [Runtime.errorReported] = false
}

const options = { quick: { type: "boolean" }, tiny: { type: "boolean" }, help: { type: "boolean" } } as const

const isBench = (name: string): name is keyof typeof benches => Object.hasOwn(benches, name)

const program = Effect.gen(function* () {
  const given = yield* Effect.try({
    try: () => parseArgs({ options, allowPositionals: true }),
    catch: (cause) => new Refused({ problem: cause instanceof Error ? cause.message.split(". ")[0]! : String(cause) })
  })
  if (given.values.help === true) return console.log(help)
  const [name, ...more] = given.positionals
  if (name === undefined) return yield* new Refused({ problem: "name a benchmark" })
  if (more.length > 0) return yield* new Refused({ problem: `one benchmark at a time, not also ${more.join(", ")}` })
  if (!isBench(name)) return yield* new Refused({ problem: `there is no benchmark "${name}"` })
  const size = given.values.tiny === true ? "tiny" : given.values.quick === true ? "quick" : "full"
  const bench: Bench = benches[name]
  const { run } = yield* Effect.promise(() => bench.load())
  const result = yield* Effect.orDie(run(size))
  console.log(JSON.stringify(result))
})

program.pipe(
  Effect.tapError(({ problem }) =>
    Effect.sync(() => console.error(`${problem}; npm run bench -- --help lists what there is`))
  ),
  Effect.provide(
    Layer.merge(Layer.succeed(References.MinimumLogLevel, "Warn"), Logger.layer([Logger.consolePretty()]))
  ),
  NodeRuntime.runMain
)
