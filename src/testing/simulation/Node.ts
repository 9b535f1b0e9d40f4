/**
 * A node of a simulation: the kernel as a server runs it (actors, commands, the tail of the log, snapshots), in a process of
 * the world. It ends by a crash, which leaves nothing, or by a shutdown in order.
 */
import { Clock, Context, Effect, Exit, type Fiber, Layer, Logger, Random, References, Scheduler, Scope } from "effect"
import { Aggregates } from "../../aggregate/Aggregates.ts"
import { AggregateLimits } from "../../aggregate/AggregateLimits.ts"
import { Commands } from "../../aggregate/idempotency/Commands.ts"
import { backoff } from "../../database/SqlFailure.ts"
import { IoTurn } from "../../database/YieldToIo.ts"
import * as CommandRetention from "../../eventstore/CommandRetention.ts"
import type { EventStore } from "../../eventstore/EventStore.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import { Supervisor } from "../../supervision/Supervisor.ts"
import type { Server } from "./Server.ts"
import * as ServerEventStore from "./ServerEventStore.ts"
import type { Process, World } from "./World.ts"

/** The services that a node offers. */
export type Kernel = Aggregates | Commands | LogTail

/** Everything by which a fiber could tell a simulated process from a real one. */
export const contextOf = (process: Process, report: (line: string) => void): Context.Context<never> => {
  const { random } = process.world
  const logger = Logger.make(({ cause, logLevel, message }) => {
    const text = `${logLevel}: ${[message].flat().map(String).join(" ")}`
    process.world.note(process, text)
    if (logLevel === "Error" || logLevel === "Fatal") report(`${text} ${cause.reasons.length > 0 ? String(cause) : ""}`)
  })
  return Context.empty().pipe(
    Context.add(Scheduler.Scheduler, process),
    Context.add(Clock.Clock, process.clock),
    Context.add(Random.Random, {
      nextDoubleUnsafe: random,
      nextIntUnsafe: () => Math.floor((random() - 0.5) * Number.MAX_SAFE_INTEGER)
    }),
    Context.add(Logger.CurrentLoggers, new Set([logger])),
    Context.add(References.MinimumLogLevel, "Info"),
    Context.add(Supervisor.reference, new Supervisor()),
    Context.add(IoTurn, Effect.yieldNow)
  )
}

const kernel = Layer.merge(Commands.layer, CommandRetention.layer).pipe(
  Layer.provideMerge(Aggregates.layer),
  Layer.provideMerge(LogTail.layer)
)

export interface Options {
  readonly limits: AggregateLimits
  /** What runs in the node besides. */
  readonly consumers: (process: Process) => Layer.Layer<never, unknown, EventStore | LogTail>
  /** Is called with each error that the kernel logs. */
  readonly report: (line: string) => void
}

export class Node {
  readonly process: Process
  #scope = Scope.makeUnsafe()
  readonly #server: Server
  readonly #options: Options
  /** It is absent until the node is ready. */
  services: Context.Context<Kernel> | undefined
  isStopping = false
  /** The time at which a pause last ended. */
  pausedUntil = -Infinity
  /** Whoever waits for an answer is called when the node crashes. */
  readonly callers = new Set<() => void>()

  constructor(world: World, server: Server, name: string, options: Options) {
    this.#server = server
    this.#options = options
    this.process = world.spawn(name)
  }

  /** Starts the node, and again if that fails, as the system does that runs it; `ready` is called once it serves. */
  start(ready: (services: Context.Context<Kernel>) => void): void {
    const { process } = this
    const context = Context.add(contextOf(process, this.#options.report), AggregateLimits, this.#options.limits)
    const layer = this.#options
      .consumers(process)
      .pipe(Layer.provideMerge(kernel), Layer.provide(ServerEventStore.layer(this.#server, process)))
    const build = Effect.suspend(() => {
      this.#scope = Scope.makeUnsafe()
      return Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), this.#scope)
    }).pipe(
      Effect.tapError((error) =>
        Effect.logInfo(`The node did not start: ${error instanceof Error ? error.message : String(error)}`)
      ),
      Effect.tapError(() => Scope.close(this.#scope, Exit.void)),
      Effect.retry(backoff)
    )
    process.world.add(process, () => {
      const fiber = Effect.runForkWith(context)(build)
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) return this.#options.report(`A node can't start: ${String(exit.cause)}`)
        this.services = Context.merge(context, exit.value)
        process.world.note(process, "is ready")
        ready(this.services)
      })
    })
  }

  get isServing(): boolean {
    return this.process.isAlive && this.services !== undefined
  }

  pause(): void {
    this.process.world.note(this.process, "stands still")
    this.process.world.pause(this.process)
  }

  resume(): void {
    if (!this.process.isPaused) return
    this.process.world.note(this.process, "goes on")
    this.pausedUntil = this.process.world.now
    this.process.world.resume(this.process)
  }

  /** Runs an effect in the node, as a request does. The function that is returned ends it, as a caller does who goes away. */
  run<A, E>(effect: Effect.Effect<A, E, Kernel>, done: (exit: Exit.Exit<A, E>) => void): () => void {
    const { process, services } = this
    const { world } = process
    if (services === undefined) throw new Error("The node is not ready.")
    let fiber: Fiber.Fiber<A, E> | undefined
    world.add(process, () => {
      fiber = Effect.runForkWith(services)(effect)
      fiber.addObserver(done)
    })
    return () => world.add(process, () => fiber?.interruptUnsafe())
  }

  crash(): void {
    const { process } = this
    process.world.note(process, "crashes")
    process.world.kill(process)
    this.#server.sessions.loseAll(process)
    for (const gone of this.callers) gone()
  }

  /** Shuts the node down in order; `stopped` is called when it is gone. */
  stop(stopped: () => void): void {
    const { process } = this
    this.isStopping = true
    process.world.note(process, "shuts down")
    process.world.add(process, () => {
      const context = contextOf(process, this.#options.report)
      const fiber = Effect.runForkWith(context)(Scope.close(this.#scope, Exit.void))
      fiber.addObserver(() => {
        process.world.note(process, "is gone")
        process.world.kill(process)
        this.#server.sessions.loseAll(process)
        for (const gone of this.callers) gone()
        stopped()
      })
    })
  }
}
