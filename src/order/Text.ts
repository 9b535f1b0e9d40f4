/** Text that PostgreSQL can hold and a person would read: bounded, without NUL or lone surrogates. */
import { Schema } from "effect"

const isStorable = Schema.makeFilter((text: string) => text.isWellFormed() && !text.includes("\u0000"), {
  expected: "text without NUL and lone surrogates"
})

/** At most 200 characters; may be empty. */
export const Text = Schema.String.check(Schema.isMaxCodePoints(200), isStorable)

/** 1 to 200 characters. */
export const Name = Text.check(Schema.isNonEmpty())

/** At most 2,000 characters: notes and reasons. */
export const Note = Schema.String.check(Schema.isMaxCodePoints(2000), isStorable)

export const Email = Text.check(Schema.isPattern(/^[^\s@]+@[^\s@]+$/u, { expected: "an e-mail address" }))
