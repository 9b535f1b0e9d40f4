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
  /** For each turn, the ratio to the best figure of the inserts measured in it; through the same client, and by pgbench. */
  readonly toInserts: Array<number>
  readonly toPgbench: Array<number>
  /** The time that the order view then needed to catch up; next to nothing where there is no view. */
  readonly behindSeconds: Array<number>
}

export interface Measured {
  readonly size: string
  readonly ranOn: Readonly<Record<string, unknown>>
  readonly row: Row
  readonly inserts: ReadonlyArray<Baseline>
  readonly pgbench: ReadonlyArray<Baseline>
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

const summaries = (baselines: ReadonlyArray<Baseline>) =>
  baselines.map(({ connections, rounds }) => ({ connections, ...Measurement.summary(rounds) }))

export const print = ({ alone, inserts, pgbench, ranOn, row, size, subjects }: Measured) => {
  const baseline = summaries(inserts)
  const pgbenchInserts = summaries(pgbench).map(({ connections, perSecond }) => ({ clients: connections, perSecond }))
  const best = pgbench.length > 0 ? "pgbench's best" : "the best inserts"
  const paths = subjects.map(({ behindSeconds, callers, path, rounds, toInserts, toPgbench }) => ({
    path,
    callers,
    ...Measurement.summary(rounds),
    ratio: Measurement.spread(toInserts),
    toPgbench: pgbench.length > 0 ? Measurement.spread(toPgbench) : null,
    behindSeconds: Measurement.spread(behindSeconds)
  }))
  const aloneMillis = Object.fromEntries([...alone].map(([name, took]) => [name, Measurement.percentiles(took)]))
  const rowBytes = JSON.stringify(row.data).length + JSON.stringify(row.metadata).length
  const ratios = [
    ...paths.map(({ callers, path, ratio, toPgbench }) => {
      return { ratio: `${path} ÷ ${best}`, callers, value: (toPgbench ?? ratio).median }
    }),
    ...Object.entries(aloneMillis).flatMap(([name, { p50 }]) => {
      const value = Number((p50 / aloneMillis.insert!.p50).toPrecision(3))
      return name === "insert" ? [] : [{ ratio: `${name} p50 ÷ insert p50`, callers: 1, value }]
    })
  ]

  console.log(
    `\nran on ${Object.entries(ranOn)
      .map((entry) => entry.join(" "))
      .join(", ")}`
  )
  console.log(`one command stores one event of ${rowBytes} bytes of JSON, one insert a row of the same size`)
  console.log("figures are: median, min, max of the rounds; CPU is this process's for one, in microseconds\n")
  heading("per second", "CPU", `ratio to ${best}`, "behind")
  for (const { connections, cpuMicros, perSecond } of baseline) {
    const cpu = cpuMicros.median.toFixed(0).padStart(7)
    line(`one-row inserts, ${connections} connections`, columns(0, 9, perSecond), cpu)
  }
  for (const { clients, perSecond } of pgbenchInserts) line(`pgbench, ${clients} clients`, columns(0, 9, perSecond))
  for (const { behindSeconds, callers, cpuMicros, path, perSecond, ratio, toPgbench } of paths) {
    const cpu = cpuMicros.median.toFixed(0).padStart(7)
    const behind = `${behindSeconds.median.toFixed(2)} s`.padStart(8)
    line(`${path}, ${callers} callers`, columns(0, 9, perSecond), cpu, columns(2, 7, toPgbench ?? ratio), behind)
  }
  console.log("\none at a time, milliseconds: p50, p99")
  for (const [name, { p50, p99 }] of Object.entries(aloneMillis)) line(name, p50.toFixed(2), p99.toFixed(2))
  console.log("")
  for (const { callers, ratio, value } of ratios)
    line(ratio, `${callers} callers`.padStart(14), String(value).padStart(7))
  console.log("")
  const figures = { baseline, pgbench: pgbenchInserts, paths, aloneMillis, ratios }
  return { bench: "commands", size, ranOn, rowBytes, eventsPerCommand: 1, ...figures }
}
