/**
 * Starts every fiber that lives as long as the process does, and keeps it alive: whatever ends such a fiber, it starts
 * again, after 100 ms at first and 5 s at most. (Supervision as in Erlang/OTP: let it crash, restart it, say so.)
 *
 * The supervisor names each fiber, counts its restarts in `orders_fiber_restarts_total`, and says once when it begins
 * to fail and once when it works again. It does not know what the fibers do: each takes its state up where it was.
 */
import { Cause, Context, Duration, Effect, Exit, Fiber, Option, Random, type Scope } from "effect"
import * as Metrics from "../telemetry/Metrics.ts"
import * as OutageLog from "./OutageLog.ts"

export interface FiberReport {
  readonly name: string
  /** `restarting`: it ended, and either waits for its next start or has not yet worked since. */
  readonly state: "running" | "restarting"
  readonly restarts: number
  readonly lastError?: string
}

interface Supervised {
  report: FiberReport
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/**
 * A supervisor lists the fibers that it keeps alive. Where nobody provides another one, all layers of a process share
 * this list.
 */
export class Supervisor {
  readonly #fibers = new Set<Supervised>()

  /** Reports on all fibers, by name. */
  readonly list = (): ReadonlyArray<FiberReport> =>
    Array.from(this.#fibers, ({ report }) => report).toSorted((left, right) => (left.name < right.name ? -1 : 1))

  /** Gives what runs at present under a name, for tests that end it. */
  readonly running = (name: string): ReadonlyArray<Fiber.Fiber<unknown, unknown>> =>
    Array.from(this.#fibers).flatMap(({ fiber, report }) =>
      report.name === name && fiber !== undefined ? [fiber] : []
    )

  /** Adds a fiber to the list; the function that it returns takes it off. */
  readonly add = (fiber: Supervised): (() => void) => {
    this.#fibers.add(fiber)
    return () => this.#fibers.delete(fiber)
  }

  static readonly reference = Context.Reference<Supervisor>("ordinal/supervision/Supervisor", {
    defaultValue: () => new Supervisor()
  })
}

const firstPause = 100
const longestPause = 5_000
/** A fiber that ran for so many milliseconds without an end works again, unless it says itself when it does. */
const steadyAfter = 1_000

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "it was interrupted"
  const error = Cause.squash(cause)
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}

const start = <R>(
  name: string,
  run: (works: Effect.Effect<void>) => Effect.Effect<unknown, unknown, R>,
  isSteady: boolean
): Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor.reference
    const restarts = yield* Metrics.fiberRestarts
    restarts.prepare(name)
    const outage = OutageLog.make(`The background work "${name}"`)
    const supervised: Supervised = { report: { name, state: "running", restarts: 0 }, fiber: undefined }
    const become = (changes: Partial<FiberReport>) => {
      supervised.report = { ...supervised.report, ...changes }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => supervisor.add(supervised)),
      (remove) => Effect.sync(remove)
    )

    let pause = firstPause
    const works = Effect.suspend(() => {
      if (!outage.isFailing()) return Effect.void
      pause = firstPause
      become({ state: "running" })
      return outage.works
    })
    const once = Effect.scoped(Effect.suspend(() => run(works)))

    const watch = Effect.fnUntraced(function* (fiber: Fiber.Fiber<unknown, unknown>) {
      if (isSteady && outage.isFailing()) {
        const early = yield* Effect.timeoutOption(Fiber.await(fiber), steadyAfter)
        if (Option.isSome(early)) return early.value
        yield* works
      }
      return yield* Fiber.await(fiber)
    })

    const restartForEver = Effect.gen(function* () {
      while (true) {
        const fiber = yield* Effect.forkChild(once, { startImmediately: true })
        supervised.fiber = fiber
        const exit = yield* watch(fiber).pipe(Effect.onInterrupt(() => Fiber.interrupt(fiber)))
        const cause = Exit.isFailure(exit) ? exit.cause : undefined
        const lastError = cause === undefined ? "it ended, which it never should" : reasonOf(cause)
        become({ state: "restarting", restarts: supervised.report.restarts + 1, lastError })
        restarts(1, name)
        yield* outage.failed(lastError, cause !== undefined && Cause.hasDies(cause) ? cause : undefined)
        yield* Effect.sleep(Duration.millis(pause * (yield* Random.nextBetween(0.8, 1.2))))
        pause = Math.min(longestPause, pause * 2)
      }
    })
    yield* Effect.forkScoped(restartForEver)
  })

/** Runs an effect in the background until the scope closes, again whenever it ends, be it by success. */
export const supervise = <R>(name: string, run: Effect.Effect<unknown, unknown, R>) => start(name, () => run, true)

/**
 * Does as `supervise` does, for an effect that runs `works` when it has succeeded with something, and fails until then.
 */
export const superviseReporting = <R>(
  name: string,
  run: (works: Effect.Effect<void>) => Effect.Effect<unknown, unknown, R>
) => start(name, run, false)
