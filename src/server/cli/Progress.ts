/**
 * Tells how far something is on stderr: on a terminal as a bar that is drawn anew, elsewhere as a line for each tenth, so that a
 * log is not flooded.
 */
import { Console, Duration, Effect, Stdio, Stream } from "effect"

export interface Progress {
  readonly done: number
  readonly total: number
  /** So many of them are done each second, lately. */
  readonly rate: number
  readonly etaSeconds?: number | undefined
}

const width = 30

const shareOf = ({ done, total }: Progress) => (total === 0 ? 1 : Math.min(1, done / total))

const numbers = (what: string, progress: Progress): string => {
  const { done, etaSeconds, rate, total } = progress
  const eta = etaSeconds === undefined ? "" : `, ${Duration.format(Duration.seconds(Math.ceil(etaSeconds)))} left`
  const percent = `${Math.floor(shareOf(progress) * 100)} %`
  return `${percent.padStart(5)}  ${done} of ${total} ${what}, ${Math.round(rate)}/s${eta}`
}

export const bar = (what: string, progress: Progress): string => {
  const filled = Math.floor(shareOf(progress) * width)
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${numbers(what, progress)}`
}

/** Makes what reports progress; `end` goes to the next line. */
export const make = Effect.fnUntraced(function* (what: string) {
  const stdio = yield* Stdio.Stdio
  const isTerminal = yield* stdio.stderrIsTerminal
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))
  let told = -1
  let isDrawn = false
  return {
    report: (progress: Progress) =>
      Effect.suspend(() => {
        if (isTerminal) {
          isDrawn = true
          return write(`\r\u001B[K${bar(what, progress)}`)
        }
        const tenth = Math.floor(shareOf(progress) * 10)
        if (tenth <= told) return Effect.void
        told = tenth
        return Console.error(numbers(what, progress).trim())
      }),
    end: Effect.suspend(() => (isDrawn ? write("\n") : Effect.void))
  }
})
