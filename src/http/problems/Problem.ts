/**
 * One error class, two faces: inside it is a plain `Schema.TaggedError`; on the wire it is a problem document (RFC 9457),
 * and clients get an instance of the same class back. The class knows its status, this file knows its slug and title.
 */
import { Schema, SchemaAST, SchemaTransformation } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiSchema } from "effect/http-api"
import type { Slug } from "./ProblemMeaning.ts"

export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance?: string
}

/** What an endpoint lists under `error`. */
export interface Problem<Self> extends Schema.Codec<Self, ProblemDocument> {
  readonly slug: Slug
  readonly title: string
  readonly status: number
  readonly members: ReadonlyArray<string>
}

type ErrorClass<Self extends Error> = Schema.Top & {
  readonly Type: Self
  readonly identifier: string
  readonly fields: Schema.Struct.Fields
  new (...args: ReadonlyArray<never>): Self
}

export const contentType = ProblemDetails.contentType

export const typeOf = (slug: Slug): string => `/problems/${slug}`

const httpApiStatus = SchemaAST.resolveAt<number>("httpApiStatus")

/**
 * The document has every field of the class but `_tag` and `cause`, under the same name. `members` gives a field another
 * codec, for what JSON can't hold.
 */
export const problem = <Self extends Error>(
  errorClass: ErrorClass<Self>,
  slug: Slug,
  title: string,
  members: Schema.Struct.Fields = {}
): Problem<Self> => {
  const status = httpApiStatus(errorClass.ast) ?? 500
  const { _tag, cause: _, ...fields } = errorClass.fields
  const own: Schema.Struct.Fields = { ...fields, ...members }
  const names = Object.keys(own)
  const pick = (from: Record<string, unknown>) =>
    Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
  const document = Schema.Struct({
    type: Schema.tag(typeOf(slug)),
    title: Schema.String,
    status: Schema.Int,
    detail: Schema.String,
    instance: Schema.optionalKey(Schema.String),
    ...own
  }).annotate({ identifier: `${errorClass.identifier}Problem`, description: title })
  // The fields come from the class itself, so that what `pick` keeps is what its constructor takes, and the other way round.
  const Constructor = errorClass as unknown as new (fields: object) => Self
  const transformation = SchemaTransformation.transform({
    decode: (encoded: object) => new Constructor(pick(encoded as Record<string, unknown>)),
    encode: (error: Self) => ({
      type: typeOf(slug),
      title,
      status,
      detail: error.message,
      // An error's fields are its own members; its class does not say so to the compiler.
      ...pick(error as unknown as Record<string, unknown>)
    })
  })
  const schema = document.pipe(
    Schema.decodeTo(Schema.toType(errorClass), transformation as never),
    HttpApiSchema.asJson({ contentType })
  )
  // `document` has members by name only, so what it encodes to is known here and not to the compiler.
  return Object.assign(schema.annotate({ httpApiStatus: status }) as unknown as Schema.Codec<Self, ProblemDocument>, {
    slug,
    title,
    status,
    members: names
  })
}
