/**
 * Makes a script that breaks a law as small as it gets: fewer commands, then simpler ones, as long as the same law breaks.
 * (Delta debugging: Zeller and Hildebrandt, 2002.)
 */
import { isMembers } from "./StateValues.ts"

export interface ShrinkOptions<Command> {
  /** True if these commands break the law too. */
  readonly breaks: (commands: ReadonlyArray<Command>) => boolean
  readonly isCommand: (value: unknown) => value is Command
  readonly most: number
}

/** Gives simpler values to try instead of this one, the simplest first. */
const simpler = (value: unknown): ReadonlyArray<unknown> => {
  if (typeof value === "number") {
    const tries = [0, 1, 2, 10, 100, Math.trunc(value / 10), Math.trunc(value / 2), value - 1]
    return value > 0 ? tries.filter((tried) => tried < value) : []
  }
  if (typeof value === "string") return ["", "a", "b"].filter((tried) => tried.length < value.length || tried < value)
  if (value === true) return [false]
  if (Array.isArray(value)) return value.map((_, index) => value.filter((_, other) => other !== index))
  return []
}

/** Gives the value with one part of it made simpler or, for a member that may be absent, left out. */
function* variants(value: unknown): Generator<unknown> {
  if (isMembers(value)) {
    for (const name of Object.keys(value)) {
      if (name === "_tag") continue
      const { [name]: _, ...without } = value
      yield without
    }
    for (const [name, member] of Object.entries(value)) {
      if (name === "_tag") continue
      for (const variant of variants(member)) yield { ...value, [name]: variant }
    }
    return
  }
  yield* simpler(value)
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const variant of variants(item)) yield value.with(index, variant)
    }
  }
}

const leavesOf = (value: unknown, found: Set<unknown>): Set<unknown> => {
  if (isMembers(value)) {
    for (const [name, member] of Object.entries(value)) if (name !== "_tag") leavesOf(member, found)
  } else if (Array.isArray(value)) {
    for (const item of value) leavesOf(item, found)
  } else if (typeof value === "string" || typeof value === "number") found.add(value)
  return found
}

const replaced = (value: unknown, from: unknown, to: unknown): unknown => {
  if (value === from) return to
  if (Array.isArray(value)) return value.map((item) => replaced(item, from, to))
  if (!isMembers(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, name === "_tag" ? member : replaced(member, from, to)])
  )
}

/** Gives the whole script with one value replaced wherever it is, so that what belongs together stays so. */
function* renamed(commands: ReadonlyArray<unknown>): Generator<ReadonlyArray<unknown>> {
  const leaves = commands.reduce<Set<unknown>>((found, command) => leavesOf(command, found), new Set())
  for (const leaf of leaves) {
    for (const tried of simpler(leaf)) {
      if (!leaves.has(tried) || typeof leaf === "number")
        yield commands.map((command) => replaced(command, leaf, tried))
    }
  }
}

/** Makes the script smaller; answers it with the number of steps that made it so. */
export const shrink = <Command>(
  found: ReadonlyArray<Command>,
  { breaks, isCommand, most }: ShrinkOptions<Command>
): { readonly commands: ReadonlyArray<Command>; readonly shrinks: number } => {
  let commands = found
  let [tried, shrinks] = [0, 0]
  const attempt = (candidate: ReadonlyArray<unknown>): boolean => {
    if (tried >= most || !candidate.every(isCommand)) return false
    tried += 1
    if (!breaks(candidate)) return false
    commands = candidate
    shrinks += 1
    return true
  }

  const shorten = (): boolean => {
    const before = commands.length
    for (let size = commands.length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = commands.length - size; from >= 0; from -= size) {
        attempt([...commands.slice(0, from), ...commands.slice(from + size)])
      }
    }
    return commands.length < before
  }

  const simplify = (): boolean => {
    for (const candidate of renamed(commands)) if (attempt(candidate)) return true
    for (const [index, command] of commands.entries()) {
      for (const variant of variants(command))
        if (attempt(commands.map((other, at) => (at === index ? variant : other)))) return true
    }
    return false
  }

  while (shorten()) continue
  while (simplify()) shorten()
  return { commands, shrinks }
}
