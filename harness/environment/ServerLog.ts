/**
 * Judges what a server logged of one disturbance: each part of it that failed says so once, and once that it works
 * again (see `OutageLog`); nothing else is said again and again, and there is no flood of stacks.
 */

interface Line {
  readonly level: string
  readonly message: string
  readonly hasStack: boolean
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const parsed = (text: string): ReadonlyArray<Line> => {
  if (!text.startsWith("{")) return []
  const line: unknown = JSON.parse(text)
  if (!isObject(line)) return []
  const parts = [line["message"]].flat()
  const message = parts.map((part) => (typeof part === "string" ? part : "")).join(" ")
  return [{ level: String(line["level"]).toUpperCase(), message, hasStack: /\\n\s+at /.test(text) }]
}

/** Numbers and ids differ from one time to the next. */
const general = (message: string) => message.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:\.\d+)?/g, "#")

/** A part may fail, come back for a moment and fail again: twice in 5 s, as `OutageLog` has it. */
const mostTimes = (millis: number) => 2 * Math.ceil(millis / 5_000)
const mostStacks = 4

const fails = /^(.+?) fails and is tried again/
const works = /^(.+?) works again/

export const linesOf = (output: string): ReadonlyArray<Line> =>
  output
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => parsed(line))

/** Gives the parts that said last that they fail. */
export const failing = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const parts = new Set<string>()
  for (const { message } of lines) {
    const [failed, worked] = [fails.exec(message)?.[1], works.exec(message)?.[1]]
    if (failed !== undefined) parts.add(failed)
    if (worked !== undefined) parts.delete(worked)
  }
  return [...parts]
}

export const isSaid = (lines: ReadonlyArray<Line>): boolean => lines.some(({ message }) => fails.test(message))

/** Lists what is wrong with all that a server said in so many milliseconds, from the beginning until all was back. */
export const faults = (lines: ReadonlyArray<Line>, millis: number): ReadonlyArray<string> => {
  const found = failing(lines).map((part) => `it was not said that this works again: ${part}`)
  for (const [message, { length }] of Map.groupBy(lines, ({ message }) => general(message))) {
    if (length > mostTimes(millis)) found.push(`said ${length} times: ${message.slice(0, 160)}`)
  }
  const stacks = lines.filter(({ hasStack }) => hasStack).length
  return stacks > mostStacks ? [...found, `${stacks} stacks were logged`] : found
}
