/** The kinds of values that settings have: how each is read, written and explained. */
import { Duration, Redacted, Schema } from "effect"
import { isNetwork } from "../http/listener/HostNames.ts"

/** Values of one kind are written in this way. */
export interface Kind<A> {
  readonly schema: Schema.ConstraintCodec<A, unknown>
  /** Stands for the value in `--help`, as in `--port integer`. */
  readonly placeholder: string
  /** Completes "… must be": "a whole number from 1 to 65535". */
  readonly expected: string
}

export interface Setting<A> extends Kind<A> {
  readonly defaultValue: A
  readonly meaning: string
}

/** The values of a record of settings. */
export type Values<Settings> = {
  readonly [Name in keyof Settings]: Settings[Name] extends Setting<infer A> ? A : never
}

/** Writes a value as somebody would who sets it. */
export const asText = (value: unknown): string => {
  if (Redacted.isRedacted(value)) return String(Redacted.value(value))
  if (!Duration.isDuration(value)) return String(value)
  const millis = Duration.toMillis(value)
  const units = { hours: 3_600_000, minutes: 60_000, seconds: 1_000, millis: 1 }
  const [unit, size] = Object.entries(units).find(([, size]) => millis % size === 0) ?? ["millis", 1]
  return `${millis / size} ${millis === size ? unit.slice(0, -1) : unit}`
}

export const text = (placeholder: string, expected: string, pattern: RegExp): Kind<string> => ({
  schema: Schema.String.check(Schema.isPattern(pattern)),
  placeholder,
  expected
})

export const integer = (minimum: number, maximum: number): Kind<number> => ({
  schema: Schema.Int.check(Schema.isBetween({ minimum, maximum })),
  placeholder: "integer",
  expected: `a whole number from ${minimum} to ${maximum}`
})

export const choice = <const A extends string>(...choices: ReadonlyArray<A>): Kind<A> => ({
  schema: Schema.Literals(choices),
  placeholder: choices.join("|"),
  expected: `one of ${choices.join(", ")}`
})

export const boolean: Kind<boolean> = { schema: Schema.Boolean, placeholder: "true|false", expected: "true or false" }

export const duration = (minimum: Duration.Input, maximum: Duration.Input = Infinity): Kind<Duration.Duration> => {
  const [least, most] = [Duration.fromInputUnsafe(minimum), Duration.fromInputUnsafe(maximum)]
  const isWithin = (value: Duration.Duration) =>
    Duration.isFinite(value) && Duration.between(value, { minimum: least, maximum: most })
  const bounds = Duration.isFinite(most) ? `from ${asText(least)} to ${asText(most)}` : `of at least ${asText(least)}`
  return {
    schema: Schema.DurationFromString.check(Schema.makeFilter(isWithin)),
    placeholder: "duration",
    expected: `a duration (a number and a unit) ${bounds}`
  }
}

/** A token or an API key is good for a time of this kind. */
export const validity: Kind<Duration.Duration> = duration("1 second", "36500 days")

/** Splits a list at its commas. */
export const listed = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(","))

export const setting = <A>(defaultValue: A, kind: Kind<A>, meaning: string): Setting<A> => ({
  ...kind,
  defaultValue,
  meaning
})

/** A password or a URL that may hold one: repeated nowhere. */
export const secret: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String),
  placeholder: "text",
  expected: "text"
}

/** Addresses and networks of addresses. */
export const networks: Kind<string> = {
  schema: Schema.String.check(Schema.makeFilter((list: string) => listed(list).every(isNetwork))),
  placeholder: "addresses",
  expected: "addresses or networks such as 10.0.0.0/8, separated by commas"
}
