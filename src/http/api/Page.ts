/** The body of a list: a page of it, and where it goes on. */
import { Schema } from "effect"

export const of = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({
    data: Schema.Array(item),
    page: Schema.Struct({ next: Schema.optionalKey(Schema.String), hasMore: Schema.Boolean })
  })
