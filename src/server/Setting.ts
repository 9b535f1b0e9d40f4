/** One setting: what it means, what it must look like, and what it is when nobody gives it. */
import { Duration, Option, Schema } from "effect"

export interface Setting<A> {
  readonly description: string
  /** Completes "… must be": "a whole number from 1 to 65535". */
  readonly expected: string
  /** As one would write it. */
  readonly fallback: string
  readonly parse: (text: string) => Option.Option<A>
  /** It may hold a password, so no message repeats it. */
  readonly secret?: true
}

/** A setting has a value that can't be meant. Its message is the one sentence that stops the start. */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>()("InvalidSetting", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

const decoder = <A>(schema: Schema.Codec<A, string>) => Schema.decodeUnknownOption(schema)

export const text = (fallback: string, description: string, expected: string, pattern: RegExp): Setting<string> => ({
  description,
  expected,
  fallback,
  parse: decoder(Schema.String.check(Schema.isPattern(pattern)))
})

export const whole = (from: number, to: number, fallback: number, description: string): Setting<number> => ({
  description,
  expected: `a whole number from ${from} to ${to}`,
  fallback: String(fallback),
  parse: decoder(Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: from, maximum: to })))
})

export const oneOf = <const A extends string>(
  choices: ReadonlyArray<A>,
  fallback: NoInfer<A>,
  description: string
): Setting<A> => ({
  description,
  expected: `one of ${choices.join(", ")}`,
  fallback,
  parse: decoder(Schema.Literals(choices))
})

export const yesNo = (fallback: boolean, description: string): Setting<boolean> => ({
  description,
  expected: "true or false",
  fallback: String(fallback),
  parse: (text) => Option.map(decoder(Schema.Literals(["true", "false"]))(text), (literal) => literal === "true")
})

/** Positive and finite. */
export const duration = (fallback: string, description: string): Setting<Duration.Duration> => ({
  description,
  expected: 'a duration such as "500 millis", "5 seconds" or "2 minutes"',
  fallback,
  parse: (text) =>
    Option.filter(
      decoder(Schema.DurationFromString)(text),
      (duration) => Duration.isFinite(duration) && Duration.toMillis(duration) > 0
    )
})

export const durationBetween = (
  least: string,
  most: string,
  fallback: string,
  description: string
): Setting<Duration.Duration> => {
  const atLeast = durationOfAtLeast(least, fallback, description)
  const bound = Schema.decodeUnknownSync(Schema.DurationFromString)(most)
  return {
    ...atLeast,
    expected: `a duration from ${least} to ${most}`,
    parse: (text) => Option.filter(atLeast.parse(text), Duration.isLessThanOrEqualTo(bound))
  }
}

export const durationOfAtLeast = (least: string, fallback: string, description: string): Setting<Duration.Duration> => {
  const any = duration(fallback, description)
  const bound = Schema.decodeUnknownSync(Schema.DurationFromString)(least)
  return {
    ...any,
    expected: `a duration of at least ${least}`,
    parse: (text) => Option.filter(any.parse(text), Duration.isGreaterThanOrEqualTo(bound))
  }
}
