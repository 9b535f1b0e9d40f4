/** Runs the checks of `ordinal doctor` and keeps what each finds; one that fails ends those that need it, and no other. */
import { Effect, Schema } from "effect"

/** Something is broken: `problem` says what, and what mends it. */
export class Broken extends Schema.TaggedError<Broken>()("Broken", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

export interface Finding {
  readonly check: string
  readonly state: "ok" | "warning" | "problem"
  readonly sentence: string
}

export interface Findings {
  readonly all: ReadonlyArray<Finding>
  readonly warn: (check: string, sentence: string) => Effect.Effect<void>
  /** Returns whether the check found everything right; its text says what it found. */
  readonly check: <E extends Error>(check: string, run: Effect.Effect<string, E>) => Effect.Effect<boolean>
}

export const make = (): Findings => {
  const all: Array<Finding> = []
  const add = (check: string, state: Finding["state"], sentence: string) =>
    Effect.sync(() => void all.push({ check, state, sentence: sentence.trim().replaceAll(/\s+/g, " ") }))
  return {
    all,
    warn: (check, sentence) => add(check, "warning", sentence),
    check: (check, run) =>
      run.pipe(
        Effect.flatMap((sentence) => add(check, "ok", sentence)),
        Effect.as(true),
        Effect.catch((error) => Effect.as(add(check, "problem", error.message), false))
      )
  }
}
