/** Prints what servers answered, as a table for people, and makes the ratios of it. */
import * as Measurement from "../Measurement.ts"
import type { HttpRound } from "./HttpLoad.ts"

export interface Figure {
  readonly name: string
  readonly connections: number
  readonly perSecond: Measurement.Spread
  readonly p50: number
  readonly p99: number
  readonly cpuMicros: number
}

export interface Ratio {
  readonly ratio: string
  readonly connections: number
  readonly value: number
}

/** Medians of the rounds. */
export const figure = (name: string, connections: number, rounds: ReadonlyArray<HttpRound>): Figure => {
  const median = (of: (round: HttpRound) => number) => Measurement.spread(rounds.map(of)).median
  return {
    name,
    connections,
    perSecond: Measurement.spread(rounds.map(({ perSecond }) => perSecond)),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
    cpuMicros: median(({ cpuMicros }) => cpuMicros)
  }
}

/** The ratio of two rates; nothing if one of them was not measured. */
export const ratio = (
  name: string,
  connections: number,
  of: number | undefined,
  to: number | undefined
): ReadonlyArray<Ratio> =>
  of === undefined || to === undefined ? [] : [{ ratio: name, connections, value: Number((of / to).toPrecision(3)) }]

export const print = (figures: ReadonlyArray<Figure>, ratios: ReadonlyArray<Ratio>) => {
  console.log(`\n${"".padEnd(28)}per second (min – max), p50 and p99 in ms, CPU of the server's process in µs`)
  for (const { connections, cpuMicros, name, p50, p99, perSecond } of figures) {
    const range = `${perSecond.median} (${perSecond.min} – ${perSecond.max})`
    console.log(`${`${name}, ${connections}`.padEnd(28)}${range.padEnd(28)}${p50} ${p99}  ${cpuMicros}`)
  }
  for (const { connections, ratio, value } of ratios) console.log(`${`${ratio}, ${connections}`.padEnd(44)}${value}`)
}
