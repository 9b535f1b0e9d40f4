/**
 * Describes the endpoints of an aggregate for the OpenAPI document, whatever `HttpApi` they are part of: parameters and
 * headers in words, answers by their problems, and an example of each body that is made from its schema.
 */
import { Effect, Option, Schema, SchemaAST } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { OpenApi } from "effect/http-api"
import { boundaryErrors, commandBoundaryErrors } from "../api/Boundary.ts"
import { entityErrors, sendErrors } from "../api/EndpointErrors.ts"
import { describeParameters } from "../api/openapi/Document.ts"
import { field } from "../api/openapi/Field.ts"
import { headers } from "../api/openapi/Fields.ts"
import type { Problem } from "../problems/Problem.ts"

const words = {
  ...headers,
  id: field("The id."),
  "query.after": field("The events after this version.", 0),
  "query.limit": field("So many events at most; 100 without it.", 100),
  "header.prefer": field("return=minimal asks for an answer without the state.", "return=minimal"),
  "header.preference-applied": field("The preference that was honoured.", "return=minimal"),
  "header.link": field("rel=next is the path of the events that follow.")
}

const givenExamples = SchemaAST.resolveAt<ReadonlyArray<unknown>>("examples")

/** Gives the example that the schema names, or one of its values: always the same, none if it has to be searched for long. */
const exampleOf = (schema: Schema.Codec<unknown, unknown>): Option.Option<unknown> => {
  const [given] = givenExamples(schema.ast) ?? []
  const value = given === undefined ? sampleOf(schema) : Option.some(given)
  return Option.flatMap(value, Schema.encodeUnknownOption(Schema.toCodecJson(schema)))
}

const sampleOf = (schema: Schema.Codec<unknown, unknown>): Option.Option<unknown> => {
  const samples = Arbitrary.sampleEffect(Arbitrary.schema(Schema.toType(schema)), { count: 1, size: 8, seed: 1 })
  return Option.flatMap(Effect.runSync(Effect.option(samples)), ([value]) => Option.fromUndefinedOr(value))
}

type Fields = Readonly<Record<string, Schema.Codec<unknown, unknown>>>

const bodyOf = (fields: Fields): object =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, schema]) => {
      const example = exampleOf(schema)
      return Option.isNone(example) ? [] : [[name, example.value]]
    })
  )

type Described = Pick<Problem<never>, "status" | "title">
type Operation = OpenApi.OpenAPISpecOperation

/** Describes an endpoint: its title, what it answers if it succeeds, and the problems that it may answer. */
const annotations = (
  path: string,
  summary: string,
  answers: Readonly<Record<string, string>>,
  problems: ReadonlyArray<Described>,
  payload: Fields = {}
) =>
  OpenApi.annotations({
    summary,
    transform: (generated) => {
      // Effect lets several places share one schema, and each is changed on its own here.
      const operation: Operation = JSON.parse(JSON.stringify(generated))
      describeParameters(path, operation, words)
      for (const [status, answer] of Object.entries(operation.responses)) {
        const titles = problems.filter((problem) => String(problem.status) === status).map(({ title }) => title)
        answer.description = answers[status] ?? `${[...new Set(titles)].join(", or: ")}.`
      }
      for (const content of Object.values(operation.requestBody?.content ?? {})) {
        Object.assign(content, { examples: { made: { summary: "Made from the schema", value: bodyOf(payload) } } })
      }
      return operation
    }
  })

export const command = (path: string, tag: string, rejections: ReadonlyArray<Described>, payload: Fields) =>
  annotations(
    path,
    tag,
    { 200: "Accepted and stored: the events, and the state after them.", 204: "Accepted and stored." },
    [...boundaryErrors, ...commandBoundaryErrors, ...sendErrors, ...rejections],
    payload
  )

const readProblems = [...boundaryErrors, ...entityErrors]

export const get = (path: string) =>
  annotations(
    path,
    "Read the newest state",
    { 200: "The state; the initial one, at version 0, before there are events.", 304: "The caller has this version." },
    readProblems
  )

export const events = (path: string) =>
  annotations(path, "Read the events as CloudEvents", { 200: "The events, the oldest first." }, readProblems)
