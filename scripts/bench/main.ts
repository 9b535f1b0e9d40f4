/** Runs one benchmark, or chosen parts of it: `npm run bench -- <name> [--quick]`. The last line is one JSON object. */
import { NodeRuntime } from "@effect/platform-node"
import { Data, Effect, Layer, Logger, References, Runtime } from "effect"
import { parseArgs } from "node:util"
import type { Parts } from "./Parts.ts"

interface Bench {
  readonly description: string
  /** What `--only` can name; without it, the benchmark is always run whole. */
  readonly parts?: ReadonlyArray<string>
  /** Takes `--at` and `--alone` as well. */
  readonly isScaled?: boolean
  /** Takes `--cache` as well. */
  readonly isCacheable?: boolean
  readonly load: () => Promise<{ run(size: "full" | "quick" | "tiny", parts: Parts): Effect.Effect<unknown, unknown> }>
}

const benches = {
  commands: {
    description: "durable commands per second in process, beside one-row inserts through the same client and pgbench",
    parts: ["kernel", "place", "placeWithView", "placeKeyed"],
    isScaled: true,
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
    parts: ["post", "keyed", "confirm", "get", "list", "live", "half"],
    isScaled: true,
    isCacheable: true,
    load: () => import("./http.ts")
  },
  mixed: {
    description: "requests per second of 70 % reads, few orders often (Zipf), beside Emmett with Express",
    load: () => import("./mixed.ts")
  },
  hot: {
    description: "commands per second on one order, beside one-row inserts",
    load: () => import("./hot.ts")
  },
  memory: {
    description:
      "bytes of an idle order in memory beyond its state's JSON; a small heap, and PGlite, while orders are placed",
    parts: ["residents", "placing", "embedded"],
    load: () => import("./memory.ts")
  },
  growth: {
    description: "requests per second on a log of five million events, beside the same on an empty one",
    load: () => import("./growth.ts")
  },
  overload: {
    description: "orders per second of a server that is sent five times what it can answer, with and without shedding",
    load: () => import("./overload.ts")
  },
  nodes: {
    description: "orders per second of two server processes on one database, beside one process",
    load: () => import("./nodes.ts")
  },
  start: {
    description: "milliseconds until a started server is ready, beside a bare node:http server",
    load: () => import("./start.ts")
  },
  push: {
    description: "milliseconds from a commit to its push at a client, over SSE and WebSocket",
    load: () => import("./push.ts")
  }
} satisfies Record<string, Bench>

const help = `npm run bench -- <name> [--quick] [--only <parts>] [--at <numbers>] [--alone] [--cache]

${Object.entries<Bench>(benches)
  .map(([name, { description, parts }]) => {
    const choice = parts === undefined ? "" : `\n${"".padEnd(14)}parts: ${parts.join(", ")}`
    return `  ${name.padEnd(12)}${description}${choice}`
  })
  .join("\n")}

  --quick     a rough answer in a minute or two
  --tiny      only shows that it runs; the figures mean nothing
  --only      the parts to run, with commas between them
  --at        the numbers of callers or connections, with commas between them
  --alone     without what it is compared with: for two trees, one after the other
  --cache     http: reads of one order through a cache, beside reads without one, and the hit rate
  --help      this text

PostgreSQL is the one that TEST_DATABASE_URL names (a new database is made there and dropped), or one that is started
for the run. The last line is one JSON object.`

/** The command line is not one of ours. Said in one sentence, not as a stack trace. */
class Refused extends Data.TaggedError("Refused")<{ readonly problem: string }> {
  override readonly [Runtime.errorReported] = false
}

const flag = { type: "boolean" } as const
const text = { type: "string" } as const
const options = { quick: flag, tiny: flag, help: flag, alone: flag, cache: flag, only: text, at: text } as const

const isBench = (name: string): name is keyof typeof benches => Object.hasOwn(benches, name)

/** Reads the parts of a benchmark that are wanted. */
const partsOf = Effect.fnUntraced(function* (
  name: string,
  { isCacheable = false, isScaled = false, parts = [] }: Bench,
  given: {
    readonly only?: string | undefined
    readonly at?: string | undefined
    readonly alone?: boolean | undefined
    readonly cache?: boolean | undefined
  }
) {
  if (parts.length === 0 && (given.only ?? given.at ?? given.alone) !== undefined) {
    return yield* new Refused({ problem: `"${name}" has no parts to choose from` })
  }
  if (!isScaled && (given.at ?? given.alone) !== undefined) {
    return yield* new Refused({ problem: `"${name}" knows neither --at nor --alone` })
  }
  if (!isCacheable && given.cache === true) return yield* new Refused({ problem: `"${name}" knows no --cache` })
  const only = given.only?.split(",")
  const unknown = only?.find((part) => !parts.includes(part))
  if (unknown !== undefined) {
    return yield* new Refused({ problem: `"${name}" has no part "${unknown}", only ${parts.join(", ")}` })
  }
  const at = given.at?.split(",").map(Number)
  if (at?.every((number) => Number.isInteger(number) && number > 0) === false) {
    return yield* new Refused({ problem: `--at takes numbers like 1,64, not "${given.at}"` })
  }
  const chosen: Parts = {
    ...(only === undefined ? {} : { only }),
    ...(at === undefined ? {} : { at }),
    isAlone: given.alone === true,
    isCached: given.cache === true
  }
  return chosen
})

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
  const parts = yield* partsOf(name, bench, given.values)
  const { run } = yield* Effect.promise(() => bench.load())
  const result = yield* Effect.orDie(run(size, parts))
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
