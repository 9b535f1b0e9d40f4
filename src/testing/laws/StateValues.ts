/**
 * What commands can refer to: the values that a state and earlier commands hold. A command about a part of the state, such as
 * a payment, is made of that part's own values ("a third of what is left of it"), so that it has a chance.
 */
import { DateTime } from "effect"
import type { Dice } from "./Dice.ts"

export type Members = Readonly<Record<string, unknown>>

type Moment = Date | DateTime.Utc

export const isMoment = (value: unknown): value is Moment =>
  value instanceof Date || (DateTime.isDateTime(value) && DateTime.isUtc(value))

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isMoment(value)

/** Commands are made of these. */
export interface StateValues {
  /** Each object that is part of the state, and the state itself. */
  readonly parts: ReadonlyArray<Members>
  /** Texts by the name of the member that holds them. */
  readonly texts: ReadonlyMap<string, ReadonlyArray<string>>
  /** Dates, in milliseconds since 1970. */
  readonly moments: ReadonlyArray<number>
}

export const collect = (state: unknown, commands: ReadonlyArray<unknown>): StateValues => {
  const parts: Array<Members> = []
  const texts = new Map<string, Array<string>>()
  const moments: Array<number> = []
  const walk = (value: unknown, name: string, isState: boolean): void => {
    if (typeof value === "string") {
      const known = texts.get(name) ?? []
      texts.set(name, known)
      if (!known.includes(value)) known.push(value)
    } else if (Array.isArray(value)) {
      for (const item of value) walk(item, name, isState)
    } else if (isMoment(value)) {
      moments.push(Number(value instanceof Date ? value : value.epochMilliseconds))
    } else if (isMembers(value)) {
      if (isState) parts.push(value)
      for (const [name, member] of Object.entries(value)) if (name !== "_tag") walk(member, name, isState)
    }
  }
  walk(state, "", true)
  for (const command of commands.slice(-6)) walk(command, "", false)
  if (typeof state === "number") parts.push({ state })
  return { parts, texts, moments }
}

/** Finds the parts of the state that have a text of the same name as these members: a payment has a `paymentId` too. */
export const partsLike = ({ parts }: StateValues, members: Members): ReadonlyArray<Members> => {
  const names = Object.keys(members).filter((name) => name !== "_tag" && typeof members[name] === "string")
  return parts.filter((part) => names.some((name) => typeof part[name] === "string"))
}

const numbersOf = (members: Members): ReadonlyArray<number> =>
  Object.values(members).filter((value) => typeof value === "number")

/** Draws a number from a part: one that it holds, or what is left of it after one or two others are taken away. */
const drawn = (dice: Dice, part: Members, name: string): number | undefined => {
  const numbers = numbersOf(part)
  const same = part[name]
  let number = typeof same === "number" && dice.chance(0.8) ? same : dice.pick(numbers)
  if (number === undefined) return undefined
  for (const share of [0.5, 0.4]) {
    const other = dice.chance(share) ? dice.pick(numbers) : 0
    if (other !== undefined && other <= number) number -= other
  }
  return number
}

const small = [0, 1, 2, 3, 5, 10, 100, 1000]

/** Makes a number for the member of a command: mostly one that means something in this state, its neighbours, or a part of it. */
export const numberFor = (
  dice: Dice,
  { parts }: StateValues,
  name: string,
  about: Members | undefined,
  before: Members
): number | undefined => {
  if (dice.chance(0.3)) return dice.pick(small)
  const part = dice.chance(0.8) ? (about ?? dice.pick(parts) ?? before) : before
  const number = part && drawn(dice, part, name)
  if (number === undefined) return dice.pick(small)
  const turn = dice.below(10)
  if (turn < 5) return number
  if (turn === 5) return number + 1
  if (turn === 6) return number - 1
  return turn === 7 ? 1 : Math.floor(number / (turn === 8 ? 2 : 3))
}

/** Makes a date for the member of a command: mostly one that the state or an earlier command holds, or the millisecond beside it. */
export const momentFor = (dice: Dice, { moments }: StateValues, generated: Moment): Moment => {
  const known = dice.chance(0.7) ? dice.pick(moments) : undefined
  if (known === undefined) return generated
  const millis = known + (dice.chance(0.5) ? 0 : dice.below(3) - 1)
  return generated instanceof Date ? new Date(millis) : DateTime.makeUnsafe(millis)
}
