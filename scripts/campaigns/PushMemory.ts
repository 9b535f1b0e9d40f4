/** Whether a server's memory stayed flat while clients that never read were connected to it. */
import type { Memory } from "./MemoryProbe.ts"

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2)

const median = (values: ReadonlyArray<number>) =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN

export interface Bounds {
  /** Most that the process may grow from the end of the warm-up on, in MiB. */
  readonly growth: number
  /** The part of the samples in which the newest events, the actors and the compiled code come to their full size. */
  readonly warmUp: number
}

/**
 * A leak of what is held back for clients would be a line that goes up for as long as there is load. So besides the growth,
 * the last third is compared with the one before: it may differ by what garbage collection leaves to chance.
 */
export const judge = (series: ReadonlyArray<Memory>, { growth, warmUp }: Bounds) => {
  const settled = series.slice(Math.floor(series.length * warmUp)).map(({ rss }) => rss)
  const third = Math.floor(settled.length / 3)
  const grown = mebibytes(Math.max(...settled) - (settled[0] ?? 0))
  const trend = mebibytes(median(settled.slice(-third)) - median(settled.slice(-2 * third, -third)))
  const faults = [
    ...(settled.length >= 6 ? [] : [`memory was looked at only ${settled.length} times`]),
    ...(grown <= growth ? [] : [`the server grew by ${grown} MiB`]),
    ...(trend <= growth / 3 ? [] : [`the server went on growing: ${trend} MiB more in the last third`])
  ]
  const rssMiB = {
    connected: mebibytes(series[0]?.rss ?? 0),
    warm: mebibytes(settled[0] ?? 0),
    max: mebibytes(Math.max(...settled)),
    end: mebibytes(settled.at(-1) ?? 0)
  }
  return { faults, rssMiB, heapMiB: { max: mebibytes(Math.max(...series.map(({ heapUsed }) => heapUsed))) }, trend }
}
