/**
 * Says in words for its author what is wrong at one place of a request. An unknown member is often a known one that is
 * spelt otherwise, so its message names the nearest; a schema may say more about some, in the annotation `hints`.
 */
import { SchemaAST, SchemaIssue } from "effect"

type Hints = Readonly<Record<string, string>>

const hintsOf = SchemaAST.resolveAt<Hints>("hints")

/** Begins the message of an unknown member, until `inWords` knows its name; the rest is JSON. */
const unknownMember = "\u0000"
/** Begins the message of a missing one; the rest is what its schema says of that, in `messageMissingKey`. */
const missing = "\u0001"

export const isMissing = (message: string): boolean => message.startsWith(missing)

export const leafHook: SchemaIssue.LeafHook = (issue) => {
  if (issue._tag === "MissingKey") return missing + (issue.annotations?.messageMissingKey ?? "")
  if (issue._tag === "UnexpectedKey") {
    const known = SchemaAST.isObjects(issue.ast) ? issue.ast.propertySignatures.map(({ name }) => String(name)) : []
    return unknownMember + JSON.stringify([known, hintsOf(issue.ast) ?? {}])
  }
  // The default message would name the schema.
  if (issue._tag === "InvalidType" && SchemaAST.isObjects(issue.ast)) return "Expected an object"
  return SchemaIssue.defaultLeafHook(issue)
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "")

/** Counts the letters that must be put in, taken out or replaced to make one text of the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1]
    for (let at = 1; at <= other.length; at++) {
      next.push(Math.min(next[at - 1]! + 1, row[at]! + 1, row[at - 1]! + (letter === other[at - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[other.length]!
}

const isWithin = (short: string, long: string): boolean => {
  let at = 0
  for (const letter of long) if (letter === short[at]) at++
  return at === short.length
}

/** Gives the known name that was probably meant, if there is one. */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const meant = plain(name.slice(0, 50))
  const far = 3
  const ranked = known.flatMap((one) => {
    const other = plain(one)
    const letters = distance(meant, other)
    const isAbbreviation = meant.length >= 3 && meant[0] === other[0] && isWithin(meant, other)
    const rank = letters < Math.min(far, other.length / 2) ? letters : isAbbreviation ? far : Infinity
    return rank === Infinity ? [] : [{ one, rank }]
  })
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.one
}

/** Completes a message of `leafHook`, now that the name of the place is known. */
export const inWords = (message: string, name: PropertyKey | undefined): string => {
  if (isMissing(message))
    return message.slice(1) || (typeof name === "number" ? "Expected at least one item" : "is missing")
  if (!message.startsWith(unknownMember)) return message
  const [known, hints] = JSON.parse(message.slice(unknownMember.length)) as [ReadonlyArray<string>, Hints]
  const key = String(name)
  if (Object.hasOwn(hints, key)) return `is unknown here; ${hints[key]}`
  const meant = nearest(key, known)
  return meant === undefined ? "is unknown here" : `is unknown here; did you mean ${meant}?`
}
