/** A law does not hold: the message shows the smallest script found that breaks it, and how to run exactly that again. */
import { told } from "../Given.ts"
import { shown } from "../Shown.ts"
import { Result } from "effect"
import type { Script } from "./Scripts.ts"

export interface Found {
  readonly category: string
  readonly law: string
  /** Says what is wrong. */
  readonly reason: string
  /** The number of scripts that were run, up to the one that broke the law. */
  readonly scripts: number
  /** The length of that script before it was made smaller. */
  readonly length: number
  readonly replay: string
}

export class LawBroken extends Error {
  readonly _tag = "LawBroken"
  readonly law: string
  readonly scripts: number
  readonly replay: string
  /** The script that breaks the law. */
  readonly commands: ReadonlyArray<unknown>
  constructor(message: string, found: Pick<Found, "law" | "replay" | "scripts">, commands: ReadonlyArray<unknown>) {
    super(message)
    this.name = "LawBroken"
    this.law = found.law
    this.scripts = found.scripts
    this.replay = found.replay
    this.commands = commands
  }
}

const show = <Command>(script: Script<unknown, Command, unknown, unknown>): string => {
  const { steps, thrown } = script.trace
  const last = steps.at(-1)
  const before = thrown === undefined ? steps.slice(0, -1) : steps
  const given = before.flatMap(({ events }) => events.map(({ event }) => event))
  if (thrown !== undefined) return told(given, thrown.command, [["then", ["a rule threw"]]])
  if (last === undefined) return "  given     nothing"
  const { decision } = last
  const then = Result.isFailure(decision)
    ? [`rejected with ${shown(decision.failure)}`]
    : decision.success.map((event) => shown(event))
  return told(given, last.command, [
    ["then", then.length > 0 ? then : ["nothing to do"]],
    ["state", [shown(last.after)]]
  ])
}

export const make = <State, Command, Event, Rejection>(
  { category, law, length, reason, replay, scripts }: Found,
  script: Script<State, Command, Event, Rejection>
): LawBroken => {
  const { commands } = script
  const size =
    commands.length === length ? `${length} commands` : `${length} commands, of which ${commands.length} are left`
  const message = [
    `The law "${law}" does not hold for ${category} (script ${scripts}, ${size}).`,
    show(script),
    reason,
    `To run exactly this again: replay: "${replay}"`
  ].join("\n\n")
  return new LawBroken(message, { law, replay, scripts }, commands)
}
