/**
 * A projection and a subscription that the nodes of a simulation run, by the kernel's own runner: which node, and from where
 * on, is up to leases and checkpoints. Their handlers fail by chance, and always at some events. `ConsumerChecks` judges.
 */
import { Effect, Layer, Logger } from "effect"
import { EventStore, type RecordedEvent } from "../../../eventstore/EventStore.ts"
import { LogTail } from "../../../eventstore/tail/LogTail.ts"
import { ProjectionProgress } from "../../../projection/consistency/ProjectionProgress.ts"
import type { Projection } from "../../../projection/Projection.ts"
import { ProjectionHost } from "../../../projection/ProjectionHost.ts"
import * as ProjectionRunner from "../../../projection/run/ProjectionRunner.ts"
import * as MemoryProjectionStore from "../../../projection/store/MemoryProjectionStore.ts"
import { ProjectionStore } from "../../../projection/store/ProjectionStore.ts"
import * as Subscriptions from "../../../projection/Subscriptions.ts"
import type { Server } from "../Server.ts"
import type { Process } from "../World.ts"
import { ConsumerChecks } from "./ConsumerChecks.ts"
import { ServerTables } from "./ServerTables.ts"

/** Milliseconds that the handler of the subscription has. */
const timeout = 2_000

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** What the runner says is no finding: parking and retries are errors for people. Its ids are other ones in each run. */
const loggerOf = (process: Process) =>
  Logger.make(({ logLevel, message }) => {
    const text = [message].flat().map(String).join(" ").replace(uuid, "…")
    process.world.note(process, `${logLevel}: ${text}`)
  })

export class Consumers {
  readonly checks: ConsumerChecks
  readonly #server: Server
  readonly #categories: ReadonlyArray<string>
  readonly #tables: ServerTables
  /** Picks the events at which handlers always fail; there are none without it. */
  readonly #poison: number | undefined

  constructor(server: Server, categories: ReadonlyArray<string>, report: (finding: string) => void) {
    const { faults, process, sessions, world } = server
    this.#server = server
    this.#categories = categories
    const isPoison = (event: RecordedEvent) => this.#isPoison(event)
    this.checks = new ConsumerChecks(server.log.events, categories, isPoison, () => world.now, report)
    this.#tables = new ServerTables(sessions, process, (tables) => this.checks.committed(tables))
    this.#poison = faults.on.has("handler") ? 1 + world.below(1_000_000) : undefined
  }

  /** Tells whether both are at the end of the log. */
  get areDone(): boolean {
    return this.checks.behind(this.#tables.committed).length === 0
  }

  end(): void {
    this.checks.end(this.#tables.committed)
  }

  #isPoison({ streamId, version }: RecordedEvent): boolean {
    if (this.#poison === undefined) return false
    let hash = this.#poison
    for (const char of `${streamId} ${version}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    return (hash >>> 8) % 30 === 0
  }

  #fails(name: string, event: RecordedEvent): boolean {
    if (!this.#isPoison(event) && !this.#server.faults.strikes("handler", 0.02)) return false
    this.checks.failed(name, event)
    return true
  }

  /** The row of a stream is the list of its positions. */
  #projection(): Projection {
    return {
      name: "view",
      version: 1,
      partition: "stream",
      categories: this.#categories,
      handle: () => Effect.die("It has no table."),
      fold: {
        evolve: (row, event) => {
          if (this.#fails("view", event)) throw new Error(`The view can't bear position ${event.position}.`)
          return [...(Array.isArray(row) ? row : []), event.position]
        },
        skip: (row) => row
      }
    }
  }

  #subscription(process: Process) {
    const { checks } = this
    const { faults, world } = this.#server
    const fails = (event: RecordedEvent) => this.#fails("reaction", event)
    return Subscriptions.make("reaction", {
      from: this.#categories,
      start: "start",
      batch: 4,
      timeout,
      handle: Effect.fnUntraced(function* (events) {
        const millis = world.random() * (faults.strikes("handler", 0.05) ? 2 * timeout : 20)
        if (millis >= timeout) for (const event of events) checks.failed("reaction", event)
        yield* Effect.sleep(millis)
        if (faults.strikes("handler", 0.05)) return yield* new Subscriptions.Retry({ retryAfter: 1 })
        for (const event of events) {
          if (fails(event)) return yield* Effect.fail(`It can't bear position ${event.position}.`)
          world.note(process, `is given position ${event.position}`)
          checks.delivered(event)
        }
      })
    })
  }

  /** Runs both in a node. */
  layer(process: Process): Layer.Layer<never, unknown, EventStore | LogTail> {
    const { log, process: database } = this.#server
    // A statement of the real store reads the log as well; what it reads needs no way of its own.
    const logInStatements = Effect.map(EventStore, (store) =>
      EventStore.of({
        ...store,
        head: Effect.sync(() => ({ logId: "simulated", position: BigInt(log.events.length) })),
        readAll: ({ after, limit }) => Effect.sync(() => log.readAll(after, limit)),
        readStream: (streamId, { after, limit }) => Effect.sync(() => log.readStream(streamId, after, limit))
      })
    )
    const store = Layer.effect(
      ProjectionStore,
      Effect.flatMap(logInStatements, (store) => Effect.provideService(MemoryProjectionStore.make, EventStore, store))
    ).pipe(
      Layer.provide(
        Layer.succeed(MemoryProjectionStore.Memory, { tables: this.#tables.of(process), clock: database.clock })
      )
    )
    const host = Layer.effect(
      ProjectionHost,
      Effect.gen(function* () {
        const context = yield* Effect.context<LogTail | ProjectionProgress | ProjectionStore>()
        const { shared } = yield* ProjectionStore
        return ProjectionHost.of({
          run: (consumer) =>
            Effect.andThen(shared.setUp(consumer), ProjectionRunner.start(consumer)).pipe(
              Effect.provideService(Logger.CurrentLoggers, new Set([loggerOf(process)])),
              Effect.provideContext(context)
            )
        })
      })
    )
    const view = Layer.effectDiscard(Effect.flatMap(ProjectionHost, ({ run }) => run(this.#projection())))
    return Layer.merge(view, this.#subscription(process)).pipe(
      Layer.provide(host),
      Layer.provide(ProjectionProgress.layer),
      Layer.provide(store)
    )
  }
}
