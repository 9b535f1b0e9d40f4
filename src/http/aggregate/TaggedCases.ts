/** Takes a schema of tagged structs apart: `Schema.TaggedUnion`, `Schema.Union`, a single struct or class with a `_tag`. */
import { Predicate, Schema, SchemaAST } from "effect"

export interface TaggedCase extends Schema.Top {
  readonly fields: Readonly<Record<string, Schema.Codec<unknown, unknown>>>
}

const tagOf = ({ fields }: TaggedCase): string | undefined => {
  const tag = fields["_tag"]
  const literal = tag === undefined ? undefined : SchemaAST.toType(tag.ast)
  return literal !== undefined && SchemaAST.isLiteral(literal) ? String(literal.literal) : undefined
}

const membersOf = (schema: object): ReadonlyArray<unknown> | undefined => {
  if (Predicate.hasProperty(schema, "cases") && Predicate.isObject(schema.cases)) return Object.values(schema.cases)
  if (Predicate.hasProperty(schema, "members") && Array.isArray(schema.members)) return schema.members
  return undefined
}

const isCase = (schema: object): schema is TaggedCase =>
  Schema.isSchema(schema) && Predicate.hasProperty(schema, "fields") && Predicate.isObject(schema.fields)

/** Gives the structs by their tags; undefined if the schema is made in another way. */
export const taggedCases = (schema: object): ReadonlyMap<string, TaggedCase> | undefined => {
  const cases = new Map<string, TaggedCase>()
  const add = (schema: unknown): boolean => {
    if (!Predicate.isObjectKeyword(schema)) return false
    const members = membersOf(schema)
    if (members !== undefined) return members.every(add)
    const tag = isCase(schema) ? tagOf(schema) : undefined
    if (tag === undefined || !isCase(schema)) return false
    cases.set(tag, schema)
    return true
  }
  return add(schema) ? cases : undefined
}
