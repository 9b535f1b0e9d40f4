/** The lines of an order, and so many items of one. */
import { Schema } from "effect"
import { Amount, BasisPoints, Quantity } from "./Money.ts"
import { LineId, ProductId } from "./OrderId.ts"
import { Name } from "./Text.ts"

/** A priced line. Its name, price and tax are those that the catalog had when the line was added. */
export const Line = Schema.Struct({
  lineId: LineId,
  productId: ProductId,
  name: Name,
  quantity: Quantity,
  unitPrice: Amount,
  /** Per unit, at most `unitPrice`. */
  unitDiscount: Amount,
  taxBps: BasisPoints
})
export type Line = typeof Line.Type

/** A number of items of one line. */
export const Item = Schema.Struct({ lineId: LineId, quantity: Quantity }).annotate({ identifier: "Item" })
export type Item = typeof Item.Type

export const maxLines = 500

/** At least one item; each line is named at most once. */
export const Items = Schema.NonEmptyArray(Item).check(
  Schema.isMaxLength(maxLines),
  Schema.makeFilter((items) => new Set(items.map((item) => item.lineId)).size === items.length, {
    expected: "each line at most once"
  })
)
export type Items = typeof Items.Type
