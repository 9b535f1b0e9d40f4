/** Prints the figures of the commands benchmark as a table for people, and the same figures as data. */
import type { Row } from "./InsertBaseline.ts"
import * as Measurement from "./Measurement.ts"

export interface Baseline {
  readonly connections: number
  readonly rounds: Array<Measurement.Round>
}

export interface Subject {
  readonly path: string
  readonly callers: number
  readonly rounds: Array<Measurement.Round>
  /** The ratio to the best figure of the plain inserts measured beside it. */
  readonly ratios: Array<number>
  /** The time that the order view then needed to catch up; next to nothing where there is no view. */
  readonly behindSeconds: Array<number>
}

export interface Measured {
  readonly size: string
  readonly ranOn: Readonly<Record<string, unknown>>
  readonly row: Row
  readonly baselines: ReadonlyArray<Baseline>
  readonly subjects: ReadonlyArray<Subject>
  /** Milliseconds of each, one at a time. */
  readonly alone: ReadonlyMap<string, ReadonlyArray<number>>
}

const columns = (digits: number, width: number, { max, median, min }: Measurement.Spread) =>
  [median, min, max]
    .map((value) => value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits }))
    .map((text) => text.padStart(width))
    .join("")

const line = (name: string, ...rest: ReadonlyArray<string>) => console.log([name.padEnd(32), ...rest].join("  "))

const heading = (...titles: ReadonlyArray<string>) =>
  line("", ...titles.map((title, index) => title.padStart([27, 7, 21, 8][index] ?? 0)))

export const print = ({ alone, baselines, ranOn, row, size, subjects }: Measured) => {
  const baseline = baselines.map(({ connections, rounds }) => ({ connections, ...Measurement.summary(rounds) }))
  const paths = subjects.map(({ behindSeconds, callers, path, ratios, rounds }) => ({
    path,
    callers,
    ...Measurement.summary(rounds),
    ratio: Measurement.spread(ratios),
    behindSeconds: Measurement.spread(behindSeconds)
  }))
  const aloneMillis = Object.fromEntries([...alone].map(([name, took]) => [name, Measurement.percentiles(took)]))
  const rowBytes = JSON.stringify(row.data).length + JSON.stringify(row.metadata).length

  console.log(
    `\nran on ${Object.entries(ranOn)
      .map((entry) => entry.join(" "))
      .join(", ")}`
  )
  console.log(`one command stores one event of ${rowBytes} bytes of JSON, one insert a row of the same size`)
  console.log("figures are: median, min, max of the rounds; CPU is this process's for one, in microseconds\n")
  heading("per second", "CPU", "ratio to the inserts", "behind")
  for (const { connections, cpuMicros, perSecond } of baseline) {
    line(
      `one-row inserts, ${connections} connections`,
      columns(0, 9, perSecond),
      cpuMicros.median.toFixed(0).padStart(7)
    )
  }
  for (const { behindSeconds, callers, cpuMicros, path, perSecond, ratio } of paths) {
    const cpu = cpuMicros.median.toFixed(0).padStart(7)
    const behind = `${behindSeconds.median.toFixed(2)} s`.padStart(8)
    line(`${path}, ${callers} callers`, columns(0, 9, perSecond), cpu, columns(2, 7, ratio), behind)
  }
  console.log("\none at a time, milliseconds: p50, p99")
  for (const [name, { p50, p99 }] of Object.entries(aloneMillis)) line(name, p50.toFixed(2), p99.toFixed(2))
  console.log("")
  return { bench: "commands", size, ranOn, rowBytes, eventsPerCommand: 1, baseline, paths, aloneMillis }
}
