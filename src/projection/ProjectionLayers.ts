/**
 * Wires projections: runs them, their rebuilds and their audits in the background, and offers the services
 * `Projections`, `Rebuilds`, `ParkedStreams`, `Audits` and `FoldReads`, and `ProjectionHost` for what is added later. `EventSourcing`
 * calls this with the projections of an application.
 */
import { Context, Effect, Layer, Scope } from "effect"
import type { Database } from "../database/Database.ts"
import type { EventStore } from "../eventstore/EventStore.ts"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import { Audits } from "./audit/Audits.ts"
import * as SqlAudits from "./audit/SqlAudits.ts"
import { ProjectionProgress } from "./consistency/ProjectionProgress.ts"
import * as MemoryFoldReads from "./fold/MemoryFoldReads.ts"
import * as SqlFoldReads from "./fold/SqlFoldReads.ts"
import * as StoredParkedStreams from "./parking/StoredParkedStreams.ts"
import { type Consumer, isSubscription, type Projection } from "./Projection.ts"
import { ProjectionHost, RunsProjections } from "./ProjectionHost.ts"
import * as RebuildRunner from "./rebuild/RebuildRunner.ts"
import { Rebuilds } from "./rebuild/Rebuilds.ts"
import * as SqlRebuilds from "./rebuild/SqlRebuilds.ts"
import * as ProjectionRunner from "./run/ProjectionRunner.ts"
import * as MemoryProjectionStore from "./store/MemoryProjectionStore.ts"
import { ProjectionStore } from "./store/ProjectionStore.ts"
import * as StoredProjections from "./StoredProjections.ts"

const duplicateOf = (names: ReadonlyArray<string>) => names.find((name, index) => names.indexOf(name) < index)

/** Says why these can't run beside each other. */
const clashOf = (consumers: ReadonlyArray<Consumer>): string | undefined => {
  const name = duplicateOf(consumers.map(({ name }) => name))
  if (name !== undefined) return `Two projections or subscriptions are named ${name}; give each a name of its own.`
  const table = duplicateOf(consumers.flatMap((one) => (isSubscription(one) ? [] : (one.tables?.names ?? []))))
  return table === undefined ? undefined : `Two projections keep their rows in ${table}; give each a table of its own.`
}

/** Holds what runs in this process. */
const makeRegistry = () => {
  let consumers: ReadonlyArray<Consumer> = []
  return {
    consumers: () => consumers,
    projections: (): ReadonlyArray<Projection> =>
      consumers.flatMap((consumer) => (isSubscription(consumer) ? [] : [consumer])),
    /** Adds it until the scope closes; dies if its name or its table is taken. */
    add: (consumer: Consumer) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const clash = clashOf([...consumers, consumer])
          if (clash !== undefined) return Effect.die(new TypeError(clash))
          consumers = [...consumers, consumer]
          return Effect.void
        }),
        () =>
          Effect.sync(() => {
            consumers = consumers.filter((one) => one !== consumer)
          })
      )
  }
}

type Registry = ReturnType<typeof makeRegistry>

/** A consumer runs until its own layer is closed, not until that of the host is, whose scope the context has as well. */
const withoutScope = <Services>(context: Context.Context<Services>) =>
  Context.omit(Scope.Scope)(context) as Context.Context<Exclude<Services, Scope.Scope>>

const isElsewhere = (consumer: Consumer) => !isSubscription(consumer) && consumer.elsewhere !== undefined

/** Where rows are kept elsewhere, what keeps them may be away at the start: the runner sets the projection up later. */
const orLater = <A, E extends { readonly _tag: string }, R>(name: string, setUp: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    setUp,
    (error) => error._tag === "SqlError" || error._tag === "DatabaseUnavailable",
    (error) => Effect.logWarning(`The projection ${name} is set up later, since its rows can't be reached.`, error)
  )

/** Makes the host, which runs `beside` beside each projection. */
const makeHost = Effect.fnUntraced(function* (
  registry: Registry,
  beside: (projection: Projection) => Effect.Effect<void, never, Scope.Scope>
) {
  const { shared } = yield* ProjectionStore
  const isRunHere = yield* RunsProjections
  const context = withoutScope(yield* Effect.context<LogTail | ProjectionProgress | ProjectionStore>())
  return ProjectionHost.of({
    run: (consumer) =>
      Effect.gen(function* () {
        yield* registry.add(consumer)
        if (isRunHere && !isSubscription(consumer)) yield* beside(consumer)
        yield* isElsewhere(consumer) ? orLater(consumer.name, shared.setUp(consumer)) : shared.setUp(consumer)
        if (isRunHere) yield* ProjectionRunner.start(consumer)
      }).pipe(Effect.provide(context))
  })
})

/** A projection that only knows SQL can't run in memory. */
const inMemory = ({ fold, name }: Projection) =>
  fold === undefined
    ? Effect.die(
        new TypeError(`The projection ${name} keeps its rows in SQL; run it on PostgreSQL, or on PGlite in memory.`)
      )
    : Effect.void

/** Offers the services and the host in memory, where nothing is rebuilt or audited. */
export const layerMemory = Layer.unwrap(
  Effect.sync(() => {
    const registry = makeRegistry()
    return Layer.mergeAll(
      StoredProjections.layer(registry.consumers),
      Rebuilds.layerMemory,
      StoredParkedStreams.layer(registry.consumers),
      Audits.layerMemory,
      MemoryFoldReads.layer,
      Layer.effect(ProjectionHost, makeHost(registry, inMemory))
    )
  })
).pipe(
  Layer.provideMerge(ProjectionProgress.layer),
  Layer.provideMerge(MemoryProjectionStore.layerNoDeps),
  Layer.provide(MemoryProjectionStore.Memory.layer)
)

/** Rebuilds and audits each projection in the background. */
const inDatabase = Effect.map(
  Effect.context<Database | EventStore | LogTail | ProjectionStore | Audits>(),
  (context) => (projection: Projection) =>
    Effect.andThen(RebuildRunner.start(projection), SqlAudits.start(projection)).pipe(
      Effect.provide(withoutScope(context))
    )
)

/**
 * Runs these projections until the scope closes, as far as no other process does, unless `RunsProjections` is false. Fails
 * with `ProjectionStopped` if the table of one has rows but no checkpoint; dies if two share a name or a table.
 */
export const layer = (projections: ReadonlyArray<Projection>) =>
  Layer.unwrap(
    Effect.sync(() => {
      const registry = makeRegistry()
      const services = Layer.mergeAll(
        StoredProjections.layer(registry.consumers),
        SqlRebuilds.layer(registry.consumers),
        StoredParkedStreams.layer(registry.consumers),
        SqlAudits.layer(registry.projections),
        SqlFoldReads.layer
      )
      const running = Effect.flatMap(ProjectionHost, ({ run }) => Effect.forEach(projections, run, { discard: true }))
      return Layer.effectDiscard(running).pipe(
        Layer.provideMerge(
          Layer.effect(
            ProjectionHost,
            Effect.flatMap(inDatabase, (beside) => makeHost(registry, beside))
          )
        ),
        Layer.provideMerge(services)
      )
    })
  )
