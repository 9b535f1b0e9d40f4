/** An order has lines; an item is a number of pieces of one line. */
import { Schema } from "effect"
import { Amount, BasisPoints, Quantity } from "./Money.ts"
import { LineId, ProductId } from "./OrderId.ts"
import { Name } from "./Text.ts"

/** A line keeps the name, price and tax that the catalog had when the line was added. */
export const Line = Schema.Struct({
  lineId: LineId,
  productId: ProductId,
  name: Name,
  quantity: Quantity,
  unitPrice: Amount,
  /** The discount per unit is at most `unitPrice`. */
  unitDiscount: Amount,
  taxBps: BasisPoints
})
export type Line = typeof Line.Type

/** An item names a line and a number of its pieces. */
export const Item = Schema.Struct({ lineId: LineId, quantity: Quantity }).annotate({ identifier: "Item" })
export type Item = typeof Item.Type

export const maxLines = 500

const itemsOf = <S extends typeof Item>(item: S) =>
  Schema.NonEmptyArray(item).check(
    Schema.isMaxLength(maxLines),
    Schema.makeFilter((items) => new Set(items.map(({ lineId }) => lineId)).size === items.length, {
      expected: "each line at most once"
    })
  )

/** There is at least one item, and each line is named at most once. */
export const Items = itemsOf(Item)
export type Items = typeof Items.Type

/** A command takes these where leaving its items out means all that is left. */
export const SomeItems = itemsOf(
  Item.annotateKey({
    messageMissingKey: "Expected at least one item; a shipment without the member items takes all that is left to ship"
  })
)
