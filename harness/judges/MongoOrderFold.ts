/** The documents of the order view in MongoDB, and as the fold of the log says they should be: equal, or the view is broken. */
import { assert } from "@effect/vitest"
import { Effect, Struct } from "effect"
import type { OrderDocument } from "../../src/mongodb/OrderDocument.ts"
import type { OrderEntry } from "../../src/views/order/OrderEntry.ts"
import * as OrderViewRows from "../../src/views/order/OrderViewRows.ts"
import type { Opened } from "../views/MongoViewLayer.ts"
import { foldedEntries } from "./OrderViewFold.ts"

/** All documents but the note, by id. */
export const documents = ({ collections }: Opened) =>
  Effect.promise(() =>
    collections
      .rowsOf("live")
      .find({ placedAt: { $exists: true } })
      .sort({ _id: 1 })
      .toArray()
  )

/** What the log says of an order, as the fields of its document. */
const expectedOf = (entry: OrderEntry) => {
  const { placedAt, position, updatedAt, ...row } = OrderViewRows.row(entry)
  return {
    ...row,
    _id: entry.order.id,
    position: BigInt(position),
    placedAt: new Date(placedAt),
    updatedAt: new Date(updatedAt),
    state: JSON.stringify(entry.order)
  }
}

const contentOf = (document: OrderDocument) => Struct.omit(document, ["revision", "bytes", "olderState"])

export const assertMongoIsFold = Effect.fnUntraced(function* (opened: Opened) {
  const found = (yield* documents(opened)).map(contentOf)
  const expected = (yield* foldedEntries).map(expectedOf).toSorted((left, right) => (left._id < right._id ? -1 : 1))
  assert.isAbove(expected.length, 0)
  assert.deepStrictEqual(found, expected as unknown as typeof found)
})
