import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import { Jars } from "../../../../harness/aggregates/Jars.ts"
import { JarRows } from "../../../../harness/aggregates/JarRows.ts"
import * as FoldFields from "../../../../src/projection/fold/FoldFields.ts"
import { Projection } from "../../../../src/projection/TypedProjection.ts"

it("a fold is refused if a field of it can't be a column, or its table can't be named", () => {
  const row = Schema.Struct({
    id: Schema.String,
    tags: Schema.Array(Schema.String),
    mixed: Schema.Union([Schema.String, Schema.Int]),
    "a b": Schema.String,
    long: Schema.String
  })
  const fold = (name: string, fields: ReadonlyArray<string>) => () =>
    Projection.fold(name, { version: 1, from: [Jars], row, fields: fields as never, evolve: (row) => row })
  assert.throws(fold("jars", ["tags"]), `The field "tags" of jars is not always a text, a number or a boolean`)
  assert.throws(fold("jars", ["mixed"]), "is not always a text, a number or a boolean")
  assert.throws(fold("jars", ["absent"]), "is not always a text, a number or a boolean")
  assert.throws(fold("jars", ["id"]), "none of category, id, version, position, state")
  assert.throws(fold("jars", ["a b"]), "take at most 31 letters, digits and _")
  assert.throws(fold("Jars of mine", []), `The fold "Jars of mine" needs a \`table\``)
  assert.throws(fold("a".repeat(60), ["long"]), "is longer than 63 characters")
})

it("a field is of the kind that its schema encodes, whatever variants a row has", () => {
  const row = Schema.Union([
    Schema.Struct({
      _tag: Schema.Literal("A"),
      at: Schema.NullOr(Schema.String),
      cents: Schema.NumberFromString,
      on: Schema.Boolean
    }),
    Schema.Struct({
      _tag: Schema.Literal("B"),
      at: Schema.Literals(["x", "y"]),
      cents: Schema.String,
      on: Schema.Literal(true)
    })
  ])
  const kinds = [...FoldFields.make("any", row, ["_tag", "at", "cents", "on"]).values()].map(({ kind }) => kind)
  assert.deepStrictEqual(kinds, ["text", "text", "text", "boolean"])
})

it("the table of a fold is in the log's schema, and named after it", () => {
  assert.deepStrictEqual(JarRows.tables?.names, ["ordinal.jars_rows", "ordinal.jars_rows_shadow"])
})
