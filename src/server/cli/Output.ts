/** Prints what a command found out: as lines for people, or with `--json` as JSON and nothing else. */
import { Console } from "effect"
import { Flag } from "effect/cli"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("print JSON, and nothing else, on the standard output"),
  Flag.withDefault(false)
)

/** A position of the log may be beyond what a number holds. */
const asJson = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

/** Prints one document. */
export const json = (document: unknown) => Console.log(JSON.stringify(document, asJson, 2))

/** Prints one document of a stream of them, on a line of its own. */
export const jsonLine = (document: unknown) => Console.log(JSON.stringify(document, asJson))

/** Prints rows whose columns stand below each other. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths: Array<number> = []
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()
  )
  return Console.log(lines.join("\n"))
}

const indented = (value: unknown, depth: number): string => {
  const space = "  ".repeat(depth)
  const lines = Object.entries(value ?? {}).map(([name, part]) => {
    if (typeof part !== "object" || part === null) return `${space}${name}: ${String(part)}`
    return Object.keys(part).length === 0 ? "" : `${space}${name}:\n${indented(part, depth + 1)}`
  })
  return lines.filter((line) => line !== "").join("\n")
}

/** Prints a document as its names and values, a line each. */
export const plain = (document: unknown) => Console.log(indented(document, 0))
