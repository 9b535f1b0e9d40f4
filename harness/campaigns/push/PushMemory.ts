/** Judges that a server's memory stayed flat while clients that never read were connected to it. */
import type { Memory } from "../../clocks/MemoryProbe.ts"

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2)

const median = (values: ReadonlyArray<number>) =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN

export interface Bounds {
  /**
   * Most that may be kept in the end more than in the beginning, in MiB: heap and buffers, right after a collection.
   */
  readonly kept: number
  /**
   * Most that the whole process may grow from the end of the warm-up on, in MiB: what V8 has not collected yet, too.
   */
  readonly rss: number
  /** The part of the samples in which the newest events, the actors and the compiled code come to their full size. */
  readonly warmUp: number
}

/** This is the least memory in a series: what the last garbage collections left. */
const kept = (series: ReadonlyArray<Memory>) =>
  mebibytes(Math.min(...series.map(({ external, heapUsed }) => heapUsed + external)))

/** Something that is held back for clients without end would be a line that goes up for as long as there is load. */
export const judge = (series: ReadonlyArray<Memory>, bounds: Bounds) => {
  const settled = series.slice(Math.floor(series.length * bounds.warmUp))
  const third = Math.floor(settled.length / 3)
  const rss = settled.map((memory) => memory.rss)
  const trend = mebibytes(median(rss.slice(-third)) - median(rss.slice(-2 * third, -third)))
  const grown = mebibytes(Math.max(...rss) - (rss[0] ?? 0))
  const keptMiB = { warm: kept(settled.slice(0, Math.max(3, third / 3))), end: kept(settled.slice(-third)) }
  const faults = [
    ...(settled.length >= 6 ? [] : [`memory was looked at only ${settled.length} times`]),
    ...(keptMiB.end - keptMiB.warm <= bounds.kept ? [] : [`the server kept ${keptMiB.end - keptMiB.warm} MiB more`]),
    ...(grown <= bounds.rss ? [] : [`the server grew by ${grown} MiB`]),
    ...(trend <= bounds.rss / 3 ? [] : [`the server went on growing: ${trend} MiB more in the last third`])
  ]
  const rssMiB = {
    connected: mebibytes(series[0]?.rss ?? 0),
    warm: mebibytes(rss[0] ?? 0),
    max: mebibytes(Math.max(...rss)),
    end: mebibytes(rss.at(-1) ?? 0)
  }
  return { faults, keptMiB, rssMiB, trend }
}
