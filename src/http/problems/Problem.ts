/**
 * Makes a problem type (RFC 9457) of an error class. Inside the server the error stays a plain `Schema.TaggedError`; on
 * the wire it is a problem document, from which a client gets an instance of the same class back.
 *
 * `HttpApiError.Problem` would make the class itself a problem. It does not fit: the domain must not know HTTP, the
 * detail is the error's `message` and no argument of its own, and positions are `bigint`, which JSON can't hold.
 */
import { Schema, SchemaAST, SchemaTransformation, Struct } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiSchema } from "effect/http-api"

/** This server writes RFC 9457 documents so; a problem type may add members. */
export interface ProblemDocument extends ProblemDetails.ProblemDetails {
  readonly title: string
  readonly status: number
  readonly detail: string
}

/** `GET /problems/{slug}` explains a problem type with these sentences. */
export interface ProblemMeaning {
  readonly when: string
  readonly remedy: string
}

/** Endpoints list problem types under `error`. Each is the codec between an error and its document. */
export interface Problem<Self> extends Schema.Codec<Self, ProblemDocument>, ProblemMeaning {
  readonly slug: string
  readonly title: string
  readonly status: number
  /** This type adds members of these names to the document. */
  readonly members: ReadonlyArray<string>
}

type Members = Readonly<Record<string, Schema.Codec<unknown, unknown>>>

type ErrorClass<Self extends Error> = Schema.Codec<Self, object> & {
  readonly identifier: string
  readonly fields: Members
}

export const typeOf = (slug: string): string => `/problems/${slug}`

const httpApiStatus = SchemaAST.resolveAt<number>("httpApiStatus")

interface Options<Also extends Error> {
  /** Fields whose values JSON can't hold need codecs; the other fields use those of the class. */
  readonly members?: Members
  /**
   * Errors of these classes are answered as this problem, too; a client gets an instance of the first class for all.
   */
  readonly also?: ReadonlyArray<ErrorClass<Also>>
  /** Documents get these members on their way out; errors don't have them, nor do documents of older servers. */
  readonly added?: Members
  /** The status if the error class names none; 500 by default. */
  readonly status?: number
}

/** A document has these members itself. */
export const reservedMembers = ["type", "title", "status", "detail", "instance"] as const

/** The document has every field of the class but `_tag` and `cause`, under the same name. */
export const problem = <Self extends Error, Also extends Error = never>(
  errorClass: ErrorClass<Self>,
  slug: string,
  title: string,
  meaning: ProblemMeaning,
  { added = {}, also = [], members = {}, status: otherwise = 500 }: Options<Also> = {}
): Problem<Self | Also> => {
  const errorClasses = [errorClass, ...also]
  const type = typeOf(slug)
  const status = httpApiStatus(errorClass.ast) ?? otherwise
  const { _tag, cause: _, ...fields } = errorClass.fields
  const own: Members = { ...fields, ...members }
  const document = Schema.Struct({
    type: Schema.tag(type),
    title: Schema.String,
    status: Schema.Int,
    detail: Schema.String,
    instance: Schema.optionalKey(Schema.String),
    ...own,
    ...Struct.map(added, Schema.optionalKey)
  }).annotate({ identifier: `${errorClass.identifier}Problem`, description: title })
  const names = Object.keys(own)
  const ownOf = (from: object): Readonly<Record<string, unknown>> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
  const schema = document.pipe(
    Schema.decodeTo(
      Schema.Union(errorClasses.map(Schema.toType)),
      SchemaTransformation.transform({
        decode: (problem): Self | Also => errorClass.make(ownOf(problem), { disableChecks: true }),
        encode: (error: Self | Also) => ({ ...ownOf(error), type, title, status, detail: error.message || `${title}.` })
      })
    ),
    Schema.annotate({ identifier: errorClass.identifier, httpApiStatus: status }),
    HttpApiSchema.asJson({ contentType: ProblemDetails.contentType })
  )
  const { remedy, when } = meaning
  return Object.assign(schema, { slug, title, status, when, remedy, members: Object.keys({ ...own, ...added }) })
}

/** Gives the type of another problem to an error class, whose documents may have other members. */
export const alias = <Self extends Error>(
  { slug, title, ...meaning }: Problem<unknown>,
  errorClass: ErrorClass<Self>,
  options?: Options<never>
): Problem<Self> => problem(errorClass, slug, title, meaning, options)
