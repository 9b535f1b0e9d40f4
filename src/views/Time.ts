/** Reads the times that callers write, in queries and in process: those that exist in the calendar. */
import { Schema } from "effect"

const form =
  /^(\d{4}-\d\d-\d\d)(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/u

/** Tells whether the text is such a time. JavaScript reads 30 February as 2 March, so the date is compared. */
export const isTime = (text: string): boolean => {
  const date = form.exec(text)?.[1]
  if (date === undefined) return false
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

const expected = "a time that exists, such as 2026-11-21T23:55:00Z"

/** A time is a date (midnight UTC), or a date and time with its offset; it counts to the millisecond. */
export const Time = Schema.String.check(Schema.makeFilter(isTime, { expected }))

/** This is a date and time with its UTC offset, such as 2026-05-01T12:00:00Z. */
export const OffsetTime = Schema.String.check(
  Schema.makeFilter((text: string) => isTime(text) && text.includes("T"), { expected })
)
