/** Drives an effect by so many callers for a while, and says what came of it. */
import { Effect } from "effect"

export interface Round {
  readonly perSecond: number
  /** CPU of this process, all threads, for one; not the database's. */
  readonly cpuMicros: number
}

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

const rounded = (value: number): number => Number(value.toPrecision(value >= 1000 ? 5 : 3))

/** The value below which so much of the sorted values lies. */
const quantile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = [...values].sort((a, b) => a - b)
  const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
  return { min: rounded(sorted[0]!), median: rounded(median), max: rounded(sorted.at(-1)!) }
}

/** Every caller waits for one before it asks for the next; one at least, even if the time is over by then. */
export const drive = Effect.fnUntraced(function* <E, R>(
  callers: ReadonlyArray<Effect.Effect<unknown, E, R>>,
  seconds: number
): Effect.fn.Return<Round, E, R> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  const end = start + seconds * 1000
  let done = 0
  const loop = (one: Effect.Effect<unknown, E, R>) =>
    Effect.gen(function* () {
      do {
        yield* one
        done += 1
      } while (performance.now() < end)
    })
  yield* Effect.forEach(callers, loop, { concurrency: "unbounded", discard: true })
  const { system, user } = process.cpuUsage(cpu)
  return { perSecond: (done / (performance.now() - start)) * 1000, cpuMicros: (user + system) / done }
})

/** The number of callers, all of the same kind. */
export const times = <E, R>(callers: number, one: Effect.Effect<unknown, E, R>) =>
  Array.from({ length: callers }, () => one)

/** Milliseconds each, one after the other. */
export const timeEach = Effect.fnUntraced(function* <E, R>(
  one: Effect.Effect<unknown, E, R>,
  seconds: number
): Effect.fn.Return<ReadonlyArray<number>, E, R> {
  const took: Array<number> = []
  const end = performance.now() + seconds * 1000
  do {
    const start = performance.now()
    yield* one
    took.push(performance.now() - start)
  } while (performance.now() < end)
  return took
})

export const percentiles = (milliseconds: ReadonlyArray<number>) => {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  return { p50: rounded(quantile(sorted, 0.5)), p99: rounded(quantile(sorted, 0.99)) }
}

/** Rounds of the same thing, taken at different times of a run. */
export const summary = (rounds: ReadonlyArray<Round>) => ({
  perSecond: spread(rounds.map((round) => round.perSecond)),
  cpuMicros: spread(rounds.map((round) => round.cpuMicros))
})
