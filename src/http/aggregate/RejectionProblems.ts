/** Makes problem types (RFC 9457) of an aggregate's rejections: the slug from the tag, the status from `httpApiStatus`. */
import { Schema, SchemaAST } from "effect"
import { kebab } from "../../aggregate/PublishedEvent.ts"
import { type Problem, problem, reservedMembers } from "../problems/Problem.ts"
import { KernelProblems } from "../problems/Problems.ts"
import { type TaggedCase, taggedCases } from "./TaggedCases.ts"

const kernelTags = new Map(Object.entries(KernelProblems).map(([tag, { slug }]) => [slug, tag]))

const description = SchemaAST.resolveAt<string>("description")

/** `NotEnough` becomes "Not enough". */
const titleOf = (tag: string): string => {
  const words = kebab(tag).replaceAll("-", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

type RejectionClass = Schema.Codec<Error, object> & {
  readonly identifier: string
  readonly fields: TaggedCase["fields"]
}

const isErrorClass = (schema: object): schema is RejectionClass =>
  typeof schema === "function" && schema.prototype instanceof Error

const notErrors = (category: string, tag = "schema") =>
  new TypeError(
    `The rejection ${tag} of ${category} is no error class. Make each of Schema.TaggedError, and several to one with Schema.Union.`
  )

const problemOf = (category: string, tag: string, schema: TaggedCase): Problem<Error> => {
  if (!isErrorClass(schema)) throw notErrors(category, tag)
  const slug = kebab(tag)
  const refuse = (why: string) => new TypeError(`The rejection ${tag} of ${category} ${why}; give it another name.`)
  const taken = kernelTags.get(slug)
  if (taken !== undefined) throw refuse(`would have the problem type of the kernel's ${taken}`)
  const member = reservedMembers.find((name) => name in schema.fields)
  if (member !== undefined) throw refuse(`has the field ${member}, which every problem document has`)
  const title = titleOf(tag)
  const when = description(schema.ast) ?? `The rules of ${category} refuse the command: ${title.toLowerCase()}.`
  return problem(
    schema,
    slug,
    title,
    { when, remedy: "Nothing was done. Read the state, and send what it allows." },
    { status: 409 }
  )
}

/**
 * Gives the problem types of a definition's rejections; none if it has none. Throws a `TypeError` that says what is wrong if
 * one of them can't be a problem document.
 */
export const rejectionProblems = (category: string, rejection: object | undefined): ReadonlyArray<Problem<Error>> => {
  if (rejection === undefined) return []
  const cases = taggedCases(rejection)
  if (cases === undefined) throw notErrors(category)
  return [...cases].map(([tag, schema]) => problemOf(category, tag, schema))
}
