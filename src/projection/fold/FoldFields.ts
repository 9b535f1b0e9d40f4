/**
 * The fields of a fold's rows by which lists are filtered and sorted: each is a column of the table, which the database
 * makes of the row as it is stored. So a field is a text, a number or a boolean, as its schema encodes it.
 */
import { type Schema, SchemaAST } from "effect"

export type Scalar = string | number | boolean

/** The fields of a row, as it is encoded, that can be columns. */
export type FieldOf<Encoded> = {
  [Name in keyof Encoded & string]-?: Encoded[Name] extends Scalar | null | undefined ? Name : never
}[keyof Encoded & string]

export interface Field {
  readonly name: string
  readonly kind: "text" | "number" | "boolean"
}

/** PostgreSQL has these types for them. A text is compared by its bytes, so that every database sorts alike. */
export const sqlType = { text: "text", number: "float8", boolean: "boolean" } as const

/** These columns are there besides, so no field may have the name of one. */
const columns = ["category", "id", "version", "position", "state"]

/** Gives the kinds of all values that there may be; `undefined` for one that can't be a column. NULL is of any kind. */
const kindsOf = (ast: SchemaAST.AST): ReadonlyArray<Field["kind"] | undefined> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap(kindsOf)
  if (SchemaAST.isSuspend(ast)) return kindsOf(ast.thunk())
  if (SchemaAST.isNull(ast) || SchemaAST.isUndefined(ast)) return []
  if (SchemaAST.isString(ast) || SchemaAST.isTemplateLiteral(ast)) return ["text"]
  if (SchemaAST.isNumber(ast)) return ["number"]
  if (SchemaAST.isBoolean(ast)) return ["boolean"]
  if (!SchemaAST.isLiteral(ast)) return [undefined]
  return [
    typeof ast.literal === "string"
      ? "text"
      : typeof ast.literal === "bigint"
        ? undefined
        : kinds[typeof ast.literal as "number" | "boolean"]
  ]
}
const kinds = { number: "number", boolean: "boolean" } as const

const propertiesOf = (ast: SchemaAST.AST, name: string): ReadonlyArray<SchemaAST.AST> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap((member) => propertiesOf(member, name))
  if (SchemaAST.isSuspend(ast)) return propertiesOf(ast.thunk(), name)
  if (!SchemaAST.isObjects(ast)) return []
  return ast.propertySignatures.flatMap((property) => (property.name === name ? [property.type] : []))
}

/** Finds the fields of these names in the schema of the rows. Throws a `TypeError` that says what is wrong with one. */
export const make = (
  fold: string,
  { ast }: Schema.Schema<unknown>,
  names: ReadonlyArray<string>
): ReadonlyMap<string, Field> => {
  const encoded = SchemaAST.toEncoded(ast)
  const refused = (name: string, problem: string) => new TypeError(`The field "${name}" of ${fold} ${problem}.`)
  const fieldOf = (name: string): Field => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,30}$/.test(name) || columns.includes(name)) {
      throw refused(name, `can't be a column: take at most 31 letters, digits and _, and none of ${columns.join(", ")}`)
    }
    const found = new Set(propertiesOf(encoded, name).flatMap(kindsOf))
    const [kind, other] = found
    if (kind === undefined || other !== undefined || found.has(undefined)) {
      throw refused(name, "is not always a text, a number or a boolean, so lists can't be filtered or sorted by it")
    }
    return { name, kind }
  }
  return new Map(names.map((name) => [name, fieldOf(name)]))
}
