/** A law is a sentence about every life of an aggregate. It throws an error that says what is wrong if one breaks it. */
import { shown } from "../Shown.ts"
import type { Recorded } from "./Scripts.ts"

export interface Law<State, Command, Event, Rejection> {
  readonly name: string
  readonly check: (trace: Recorded<State, Command, Event, Rejection>) => void
}

/** Throws an error unless `holds`; its message shows `where`. */
export const insist = (holds: boolean, what: string, ...where: ReadonlyArray<unknown>): void => {
  if (!holds) throw new Error([what, ...where.map((value) => shown(value))].join("\n"))
}

/** Says what a rule threw. */
export const tellsThrown = (what: string, error: unknown): string =>
  `${what} threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}` +
  (error instanceof TypeError ? "\n(Its arguments are frozen: a rule may not write into them.)" : "")
