/** Measures how far scripts get, since a law that is checked only on refused commands says nothing. */
import { Result } from "effect"
import type { Recorded } from "./Scripts.ts"
import type { Subject, Tagged } from "./Subject.ts"

/** Counts what became of the commands with one tag. */
export interface CommandReach {
  /** So many stored events. */
  accepted: number
  /** So many were accepted without an event. */
  nothing: number
  readonly rejected: Map<string, number>
}

export interface Reach {
  readonly scripts: number
  readonly commands: ReadonlyMap<string, CommandReach>
  readonly events: ReadonlyMap<string, number>
  readonly rejections: ReadonlyMap<string, number>
}

const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)

const tagOf = (value: unknown): string =>
  typeof value === "object" && value !== null && "_tag" in value ? String(value._tag) : String(value)

export const measure = <State, Command extends Tagged, Event extends Tagged, Rejection>(
  { commandTags, eventTags, rejectionTags }: Subject<State, Command, Event, Rejection>,
  traces: ReadonlyArray<Recorded<State, Command, Event, Rejection>>
): Reach => {
  const commands = new Map<string, CommandReach>()
  const of = (tag: string): CommandReach => {
    const found = commands.get(tag) ?? { accepted: 0, nothing: 0, rejected: new Map<string, number>() }
    commands.set(tag, found)
    return found
  }
  commandTags.forEach(of)
  const events = new Map(eventTags.map((tag) => [tag, 0]))
  const rejections = new Map(rejectionTags.map((tag) => [tag, 0]))
  for (const { steps } of traces) {
    for (const { command, decision } of steps) {
      const reach = of(command._tag)
      if (Result.isFailure(decision)) {
        add(reach.rejected, tagOf(decision.failure))
        add(rejections, tagOf(decision.failure))
      } else {
        if (decision.success.length > 0) reach.accepted += 1
        else reach.nothing += 1
        for (const { _tag } of decision.success) add(events, _tag)
      }
    }
  }
  return { scripts: traces.length, commands, events, rejections }
}

const rejectedAs = ({ rejected }: CommandReach): string =>
  [...rejected]
    .sort(([, left], [, right]) => right - left)
    .map(([tag, count]) => `${tag} ${count}`)
    .join(", ")

/** Writes a line for each kind of command. */
export const table = ({ commands }: Reach): string => {
  const rows = [...commands].map(([tag, reach]) => [tag, `${reach.accepted}`, `${reach.nothing}`, rejectedAs(reach)])
  const all = [["command", "stored", "nothing to do", "rejected"], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** Says what no script reached, and what helps; nothing if all was reached. */
export const gaps = ({ commands, events, rejections, scripts }: Reach, unreached: ReadonlyArray<string>) => {
  const never = [...commands].filter(([tag, { accepted }]) => accepted === 0 && !unreached.includes(tag))
  const unseen = (counts: ReadonlyMap<string, number>) =>
    [...counts].flatMap(([tag, count]) => (count === 0 && !unreached.includes(tag) ? [tag] : []))
  return [
    ...never.map(([tag, reach]) => {
      const tried = reach.nothing + [...reach.rejected.values()].reduce((sum, count) => sum + count, 0)
      const how = tried === 0 ? "it never came up" : `${tried} were tried: ${rejectedAs(reach) || "nothing to do"}`
      return `No ${tag} stored an event in ${scripts} scripts (${how}).`
    }),
    ...unseen(events).map((tag) => `No event ${tag} was stored.`),
    ...unseen(rejections).map((tag) => `No command was rejected as ${tag}.`)
  ]
}

export const help =
  "What is not reached is not tested. Give `commands`: weights by their tags, or an Arbitrary of commands that get there; " +
  "more `runs` or a greater `length`; or name it in `unreached` if no script can reach it."
