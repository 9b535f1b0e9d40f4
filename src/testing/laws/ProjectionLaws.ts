/**
 * The laws of a projection with tables, on random logs of the aggregates that it reads: however events are cut into batches,
 * and however often a batch is lost before its commit, the table is the same as in one go; a rebuilt one is the same as the
 * live one. (L12 and L13. That no event is given twice after its commit is the runner's part, which its own tests prove.)
 */
import { describe, layer as withLayer } from "@effect/vitest"
import { Effect, Equal, type Layer } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import { SqlClient, type SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { handles, type Projection, type ProjectionTables, type Slot } from "../../projection/Projection.ts"
import { block, shown } from "../Shown.ts"
import { dice } from "./Dice.ts"
import * as RandomLog from "./RandomLog.ts"

export interface Options {
  /** The aggregates whose events the projection reads: the classes of `Aggregate.Service`. */
  readonly from: ReadonlyArray<RandomLog.AnyAggregate>
  /** The number of random logs; 5 by default. */
  readonly runs?: number
  /** A log has so many streams of each aggregate; 6 by default. */
  readonly streams?: number
  /** A stream is of at most so many commands; 20 by default. */
  readonly length?: number
  readonly seed?: string
}

export class ProjectionLawBroken extends Error {
  readonly _tag = "ProjectionLawBroken"
  readonly law: string
  readonly logs: number
  readonly events: ReadonlyArray<RecordedEvent>
  constructor(message: string, law: string, logs: number, events: ReadonlyArray<RecordedEvent>) {
    super(message)
    this.name = "ProjectionLawBroken"
    this.law = law
    this.logs = logs
    this.events = events
  }
}

type Sql<A> = Effect.Effect<A, SqlError.SqlError>
type Rows = ReadonlyArray<unknown>
type Events = ReadonlyArray<RecordedEvent>

/** The projection of a test: it has tables, and they are the test's own. */
interface Tested {
  readonly projection: Projection
  readonly tables: ProjectionTables
  readonly sql: SqlClient.SqlClient
}

const rowsIn = ({ sql, tables }: Tested, slot: Slot): Sql<Rows> => {
  const [live, shadow = live] = tables.names
  const name = sql.literal(slot === "live" ? live : shadow)
  return Effect.map(sql<{ readonly row: unknown }>`SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY t::text`, (rows) =>
    rows.map(({ row }) => row)
  )
}

const empty = ({ sql, tables }: Tested, slot: Slot) =>
  Effect.gen(function* () {
    yield* tables.drop(sql)
    yield* tables.create(sql, "shadow")
    if (slot === "live") {
      yield* tables.create(sql, "live")
      yield* tables.swap(sql)
    }
  }).pipe(sql.withTransaction)

const apply = ({ projection, sql }: Tested, events: Events, slot: Slot): Sql<void> => {
  const read = events.filter((event) => handles(projection, event))
  return isReadonlyArrayNonEmpty(read) ? projection.handle(sql, read, slot) : Effect.void
}

/** Applies events in batches of random sizes; one of three is lost before its commit, and comes again in other ones. */
const inBatches = (tested: Tested, events: Events, slot: Slot, seed: string): Sql<void> => {
  const random = dice(seed)
  const size = () => 1 + random.below(random.chance(0.5) ? 3 : 20)
  return Effect.gen(function* () {
    for (let from = 0; from < events.length;) {
      const batch = events.slice(from, from + size())
      if (random.chance(0.34)) {
        const lost = Effect.andThen(apply(tested, batch, slot), Effect.fail("lost" as const))
        yield* tested.sql.withTransaction(lost).pipe(
          Effect.catchIf(
            (error) => error === "lost",
            () => Effect.void
          )
        )
      } else {
        yield* tested.sql.withTransaction(apply(tested, batch, slot))
        from += batch.length
      }
    }
  })
}

const inOneGo = Effect.fnUntraced(function* (tested: Tested, events: Events) {
  yield* empty(tested, "live")
  yield* tested.sql.withTransaction(apply(tested, events, "live"))
  return yield* rowsIn(tested, "live")
})

interface ProjectionLaw {
  readonly name: string
  /** Gives the rows of two ways that should be the same. */
  readonly ways: (tested: Tested, events: Events, seed: string) => Sql<readonly [Rows, Rows]>
}

const laws: ReadonlyArray<ProjectionLaw> = [
  {
    name: "any batching, and any restart, is one go",
    ways: Effect.fnUntraced(function* (tested, events, seed) {
      const expected = yield* inOneGo(tested, events)
      yield* empty(tested, "live")
      yield* inBatches(tested, events, "live", seed)
      return [expected, yield* rowsIn(tested, "live")] as const
    })
  },
  {
    name: "one event at a time is one go",
    ways: Effect.fnUntraced(function* (tested, events) {
      const expected = yield* inOneGo(tested, events)
      yield* empty(tested, "live")
      for (const event of events) yield* tested.sql.withTransaction(apply(tested, [event], "live"))
      return [expected, yield* rowsIn(tested, "live")] as const
    })
  },
  {
    name: "a rebuilt table is the live one, and goes on like it",
    ways: Effect.fnUntraced(function* (tested, events, seed) {
      const expected = yield* inOneGo(tested, events)
      const half = Math.ceil(events.length / 2)
      yield* empty(tested, "live")
      yield* inBatches(tested, events.slice(0, half), "live", seed)
      yield* empty(tested, "shadow")
      yield* inBatches(tested, events.slice(0, half), "shadow", `${seed} again`)
      yield* tested.sql.withTransaction(tested.tables.swap(tested.sql))
      yield* inBatches(tested, events.slice(half), "live", seed)
      return [expected, yield* rowsIn(tested, "live")] as const
    })
  },
  {
    name: "an audit finds every row as the log says",
    ways: Effect.fnUntraced(function* (tested, events) {
      const { audit } = tested.projection
      yield* inOneGo(tested, events)
      if (audit === undefined) return [[], []] as const
      const streams = Map.groupBy(
        events.filter((event) => handles(tested.projection, event)),
        ({ streamId }) => streamId
      )
      const found: Array<unknown> = []
      for (const streamId of streams.keys()) found.push((yield* audit.row(tested.sql, streamId, "live"))?.content)
      return [[...streams.values()].map((stream) => [...audit.contents(stream)].at(-1)), found] as const
    })
  }
]

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

/** Answers in what the two ways differ; undefined if they don't. A handler that fails breaks a law too. */
const difference = (law: ProjectionLaw, tested: Tested, events: Events, seed: string) =>
  law.ways(tested, events, seed).pipe(
    Effect.map(([expected, got]) => {
      const same = Equal.equals(JSON.parse(json(expected)), JSON.parse(json(got)))
      const only = (rows: Rows, others: Rows) =>
        rows.filter((row) => !others.some((other) => json(other) === json(row))).map((row) => shown(row))
      return same
        ? undefined
        : [
            block("one go", only(expected, got), "nothing else"),
            block("otherwise", only(got, expected), "nothing else")
          ].join("\n")
    }),
    Effect.catchCause((cause) => Effect.succeed(String(cause)))
  )

const tell = (event: RecordedEvent) =>
  `${event.position}  ${event.streamId}  ${shown({ _tag: event.type, ...(event.data as object) })}`

/** The logs of these options, since all laws are checked on the same. */
const logs = new WeakMap<Options, Map<number, Events>>()

const logOf = (options: Options, run: number): Events => {
  const { from, length = 20, seed = "1", streams = 6 } = options
  const known = logs.get(options) ?? new Map<number, Events>()
  logs.set(options, known)
  const log = known.get(run) ?? RandomLog.make(from, { streams, length, seed: `${seed} ${run}` })
  known.set(run, log)
  return log
}

const checkLaw = Effect.fnUntraced(function* (law: ProjectionLaw, projection: Projection, options: Options) {
  const { runs = 5, seed = "1" } = options
  const { tables } = projection
  if (tables === undefined) return yield* Effect.die(new TypeError(`The projection ${projection.name} has no tables.`))
  const tested: Tested = { projection, tables, sql: yield* SqlClient.SqlClient }
  for (let run = 1; run <= runs; run++) {
    const log = logOf(options, run)
    if ((yield* difference(law, tested, log, seed)) === undefined) continue
    const isBroken = (tried: Events) =>
      Effect.map(difference(law, tested, tried, seed), (difference) => difference !== undefined)
    const events = yield* RandomLog.shrink(log, isBroken)
    const what = yield* difference(law, tested, events, seed)
    const message = [
      `The law "${law.name}" does not hold for ${projection.name} (log ${run} of ${log.length} events, ${events.length} are left).`,
      block("events", events.map(tell), "none"),
      what ?? "It holds now: the handler is not deterministic."
    ].join("\n\n")
    return yield* Effect.fail(new ProjectionLawBroken(message, law.name, run, events))
  }
})

/** Checks the laws of a projection in the database of the `SqlClient`, in which its tables are the test's own: they are emptied. */
export const check = (
  projection: Projection,
  options: Options
): Effect.Effect<void, ProjectionLawBroken | SqlError.SqlError, SqlClient.SqlClient> =>
  Effect.forEach(laws, (law) => checkLaw(law, projection, options), { discard: true })

/** Registers a test for each law of the projection, in the database of the layer. Its tables there are emptied. */
export const suite = <E>(
  projection: Projection,
  { layer, ...options }: Options & { readonly layer: Layer.Layer<SqlClient.SqlClient, E> }
): void => {
  describe(`the laws of the projection ${projection.name}`, () => {
    withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const law of laws) it.effect(law.name, () => checkLaw(law, projection, options))
    })
  })
}
