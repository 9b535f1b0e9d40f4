/**
 * Wires projections: runs them, their rebuilds and their audits in the background, and offers the services
 * `Projections`, `Rebuilds`, `ParkedStreams` and `Audits`, and `ProjectionHost` for what is added later. `EventSourcing`
 * calls this with the projections of an application.
 */
import { Effect, Layer } from "effect"
import type { Database } from "../database/Database.ts"
import type { EventStore } from "../eventstore/EventStore.ts"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import { Audits } from "./audit/Audits.ts"
import * as SqlAudits from "./audit/SqlAudits.ts"
import type { ProjectionProgress } from "./consistency/ProjectionProgress.ts"
import { ParkedStreams } from "./parking/ParkedStreams.ts"
import * as StoredParkedStreams from "./parking/StoredParkedStreams.ts"
import { type Consumer, isSubscription, type Projection } from "./Projection.ts"
import { ProjectionHost } from "./ProjectionHost.ts"
import { Projections } from "./Projections.ts"
import * as RebuildRunner from "./rebuild/RebuildRunner.ts"
import { Rebuilds } from "./rebuild/Rebuilds.ts"
import * as SqlRebuilds from "./rebuild/SqlRebuilds.ts"
import * as ProjectionRunner from "./run/ProjectionRunner.ts"
import { ProjectionStore } from "./store/ProjectionStore.ts"
import * as StoredProjections from "./StoredProjections.ts"

/** Offers the services where nothing is projected: in memory. */
export const layerMemory = Layer.mergeAll(
  Projections.layerMemory,
  Rebuilds.layerMemory,
  ParkedStreams.layerMemory,
  Audits.layerMemory
)

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

const makeHost = Effect.fnUntraced(function* (registry: Registry) {
  const { shared } = yield* ProjectionStore
  const context = yield* Effect.context<
    Database | EventStore | LogTail | ProjectionProgress | ProjectionStore | Audits
  >()
  return ProjectionHost.of({
    run: (consumer) =>
      Effect.gen(function* () {
        yield* registry.add(consumer)
        yield* shared.setUp(consumer)
        yield* ProjectionRunner.start(consumer)
        if (isSubscription(consumer)) return
        yield* RebuildRunner.start(consumer)
        yield* SqlAudits.start(consumer)
      }).pipe(Effect.provide(context))
  })
})

/**
 * Runs these projections until the scope closes, as far as no other process does. Fails with `ProjectionStopped` if the
 * table of one has rows but no checkpoint; dies if two share a name or a table.
 */
export const layer = (projections: ReadonlyArray<Projection>) =>
  Layer.unwrap(
    Effect.sync(() => {
      const registry = makeRegistry()
      const services = Layer.mergeAll(
        StoredProjections.layer(registry.consumers),
        SqlRebuilds.layer(registry.consumers),
        StoredParkedStreams.layer(registry.consumers),
        SqlAudits.layer(registry.projections)
      )
      const running = Effect.flatMap(ProjectionHost, ({ run }) => Effect.forEach(projections, run, { discard: true }))
      return Layer.effectDiscard(running).pipe(
        Layer.provideMerge(Layer.effect(ProjectionHost, makeHost(registry))),
        Layer.provideMerge(services)
      )
    })
  )
