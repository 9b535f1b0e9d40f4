import { assert, describe, it } from "@effect/vitest"
import * as ProjectionTable from "../../../src/projection/ProjectionTable.ts"

describe("the definition of a projection's table", () => {
  it("refuses a name without a schema, or one that would have to be quoted", () => {
    for (const name of ["sales", "public.Sales", 'public."sales"', "public.sales; DROP TABLE x", "a.b.c"]) {
      assert.throws(() => ProjectionTable.make({ name, columns: "id text PRIMARY KEY" }), /<schema>\.<table>/)
    }
  })

  it("refuses constraints with names, which only one of two tables can have", () => {
    const columns = "id text PRIMARY KEY, sold bigint, CONSTRAINT some CHECK (sold > 0)"
    assert.throws(() => ProjectionTable.make({ name: "public.sales", columns }), /name a constraint/)
  })

  it("refuses names that PostgreSQL would cut off and mix up", () => {
    const indexes = { ["i".repeat(30)]: "(id)" }
    const name = `public.${"t".repeat(30)}`
    assert.throws(() => ProjectionTable.make({ name, columns: "id text PRIMARY KEY", indexes }), /longer than 63/)
  })
})
