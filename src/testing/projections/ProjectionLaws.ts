/**
 * The laws of a projection, on random logs of the aggregates that it reads: however events are cut into batches, and however
 * often a batch is lost before its commit, the rows are the same as in one go; rebuilt ones are the same as the live ones.
 * (L12 and L13. That no event is given twice after its commit is the runner's part, which its own tests prove.) They are
 * checked in a database, and those of a fold in memory as well: `ProjectionPlace` says what differs.
 */
import { describe, it as test, layer as withLayer } from "@effect/vitest"
import { Effect, Equal, type Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Projection } from "../../projection/Projection.ts"
import type { WithServices } from "../../projection/TypedProjection.ts"
import { block, shown } from "../Shown.ts"
import { dice } from "../laws/Dice.ts"
import { type Events, inDatabase, inMemory, type Place, type Rows, type Sql } from "./ProjectionPlace.ts"
import * as RandomLog from "./RandomLog.ts"

export interface Options {
  /**
   * The aggregates whose events the projection reads: the classes of `Aggregate.Service`. What `Projection.make` and
   * `Projection.fold` have made says so itself, if all that it reads from are such.
   */
  readonly from?: ReadonlyArray<RandomLog.AnyAggregate>
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

/** Applies events in batches of random sizes; one of three is lost before its commit, and comes again in other ones. */
const inBatches = (place: Place, events: Events, slot: Parameters<Place["empty"]>[0], seed: string): Sql<void> => {
  const random = dice(seed)
  const size = () => 1 + random.below(random.chance(0.5) ? 3 : 20)
  return Effect.gen(function* () {
    for (let from = 0; from < events.length;) {
      const batch = events.slice(from, from + size())
      const isLost = random.chance(0.34)
      yield* place.apply(batch, slot, isLost)
      if (!isLost) from += batch.length
    }
  })
}

const inOneGo = Effect.fnUntraced(function* (place: Place, events: Events) {
  yield* place.empty("live")
  yield* place.apply(events, "live")
  return yield* place.rows
})

interface ProjectionLaw {
  readonly name: string
  /** Gives the rows of two ways that should be the same. */
  readonly ways: (place: Place, events: Events, seed: string) => Sql<readonly [Rows, Rows]>
}

const laws: ReadonlyArray<ProjectionLaw> = [
  {
    name: "any batching, and any restart, is one go",
    ways: Effect.fnUntraced(function* (place, events, seed) {
      const expected = yield* inOneGo(place, events)
      yield* place.empty("live")
      yield* inBatches(place, events, "live", seed)
      return [expected, yield* place.rows] as const
    })
  },
  {
    name: "one event at a time is one go",
    ways: Effect.fnUntraced(function* (place, events) {
      const expected = yield* inOneGo(place, events)
      yield* place.empty("live")
      for (const event of events) yield* place.apply([event], "live")
      return [expected, yield* place.rows] as const
    })
  },
  {
    name: "a rebuilt table is the live one, and goes on like it",
    ways: Effect.fnUntraced(function* (place, events, seed) {
      const expected = yield* inOneGo(place, events)
      const half = Math.ceil(events.length / 2)
      yield* place.empty("live")
      yield* inBatches(place, events.slice(0, half), "live", seed)
      yield* place.empty("shadow")
      yield* inBatches(place, events.slice(0, half), "shadow", `${seed} again`)
      yield* place.swap
      yield* inBatches(place, events.slice(half), "live", seed)
      return [expected, yield* place.rows] as const
    })
  },
  {
    name: "an audit finds every row as the log says",
    ways: Effect.fnUntraced(function* (place, events) {
      const { audit } = place.projection
      yield* inOneGo(place, events)
      if (audit === undefined) return [[], []] as const
      const streams = Map.groupBy(
        events.filter((event) => place.handles(event)),
        ({ streamId }) => streamId
      )
      const found: Array<unknown> = []
      for (const streamId of streams.keys()) found.push(yield* place.content(streamId))
      return [[...streams.values()].map((stream) => [...audit.contents(stream)].at(-1)), found] as const
    })
  }
]

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

/** Answers in what the two ways differ; undefined if they don't. A handler that fails breaks a law too. */
const difference = (law: ProjectionLaw, place: Place, events: Events, seed: string) =>
  law.ways(place, events, seed).pipe(
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
const logs = new WeakMap<object, Map<number, Events>>()

const logOf = (options: Options & Required<Pick<Options, "from">>, run: number): Events => {
  const { from, length = 20, seed = "1", streams = 6 } = options
  const known = logs.get(options) ?? new Map<number, Events>()
  logs.set(options, known)
  const log = known.get(run) ?? RandomLog.make(from, { streams, length, seed: `${seed} ${run}` })
  known.set(run, log)
  return log
}

type Named = Pick<WithServices<never>, "name" | "from">

const isClass = (source: unknown): source is RandomLog.AnyAggregate =>
  typeof source === "function" && "definition" in source

/** Takes from the projection what it reads from, unless that is said. */
const completed = ({ from = [], name }: Named, options: Options) => {
  const sources = options.from ?? from
  if (sources.length > 0 && sources.every(isClass)) return { ...options, from: sources }
  throw new TypeError(`The laws of ${name} need the classes of the aggregates that it reads: say them as \`from\`.`)
}

const checkLaw = Effect.fnUntraced(function* (law: ProjectionLaw, place: Place, options: ReturnType<typeof completed>) {
  const { runs = 5, seed = "1" } = options
  for (let run = 1; run <= runs; run++) {
    const log = logOf(options, run)
    if ((yield* difference(law, place, log, seed)) === undefined) continue
    const isBroken = (tried: Events) =>
      Effect.map(difference(law, place, tried, seed), (difference) => difference !== undefined)
    const events = yield* RandomLog.shrink(log, isBroken)
    const what = yield* difference(law, place, events, seed)
    const message = [
      `The law "${law.name}" does not hold for ${place.projection.name} (log ${run} of ${log.length} events, ${events.length} are left).`,
      block("events", events.map(tell), "none"),
      what ?? "It holds now: the handler is not deterministic."
    ].join("\n\n")
    return yield* Effect.fail(new ProjectionLawBroken(message, law.name, run, events))
  }
})

const checkAll = (place: Place, options: ReturnType<typeof completed>) =>
  Effect.forEach(laws, (law) => checkLaw(law, place, options), { discard: true })

/**
 * Checks the laws of a projection in the database of the `SqlClient`, in which its tables are the test's own: they are
 * emptied. The services that its handler needs are provided to this.
 */
export const check = <R>(
  projection: WithServices<R> & Named,
  options: Options = {}
): Effect.Effect<void, ProjectionLawBroken | SqlError.SqlError, SqlClient.SqlClient | R> =>
  Effect.flatMap(inDatabase(projection), (place) => checkAll(place, completed(projection, options)))

/** A projection that is kept in memory as well, as what `Projection.fold` makes. */
type Folded = Projection & Named & Required<Pick<Projection, "fold">>

/** Checks the laws of a fold in memory. */
export const checkInMemory = (
  projection: Folded,
  options: Options = {}
): Effect.Effect<void, ProjectionLawBroken | SqlError.SqlError> =>
  Effect.suspend(() => checkAll(inMemory(projection), completed(projection, options)))

/**
 * Registers a test for each law of the projection: in the database of the layer, where its tables are emptied, and which
 * provides what its handler needs; or without a layer in memory, if it is a fold.
 */
export const suite: {
  <R, E>(
    projection: WithServices<R> & Named,
    options: Options & { readonly layer: Layer.Layer<SqlClient.SqlClient | R, E> }
  ): void
  (projection: Folded, options?: Options & { readonly layer?: never }): void
} = <R, E>(
  projection: (WithServices<R> & Named) | Folded,
  { layer, ...given }: Options & { readonly layer?: Layer.Layer<SqlClient.SqlClient | R, E> } = {}
): void => {
  const options = completed(projection, given)
  describe(`the laws of the projection ${projection.name}`, () => {
    if (layer === undefined) {
      const place = inMemory(projection as Folded)
      for (const law of laws) test.effect(law.name, () => checkLaw(law, place, options), { timeout: 60_000 })
      return
    }
    withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const law of laws) {
        it.effect(law.name, () => Effect.flatMap(inDatabase(projection), (place) => checkLaw(law, place, options)))
      }
    })
  })
}
