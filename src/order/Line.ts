import { Schema } from "effect"
import { Amount, BasisPoints, Quantity } from "./Money.ts"
import { LineId, ProductId } from "./OrderId.ts"
import { Name } from "./Text.ts"

/** One position of an order, priced. Name, price and tax are the catalog's at the time the line was added. */
export const Line = Schema.Struct({
  lineId: LineId,
  productId: ProductId,
  name: Name,
  quantity: Quantity,
  unitPrice: Amount,
  /** At most `unitPrice`. */
  unitDiscount: Amount,
  taxBps: BasisPoints
})
export type Line = typeof Line.Type

/** So many of that line. */
export const Item = Schema.Struct({ lineId: LineId, quantity: Quantity }).annotate({ identifier: "Item" })
export type Item = typeof Item.Type

export const maxLines = 500

/** At least one, each line at most once. */
export const Items = Schema.NonEmptyArray(Item).check(
  Schema.isMaxLength(maxLines),
  Schema.makeFilter((items) => new Set(items.map((item) => item.lineId)).size === items.length, {
    expected: "each line at most once"
  })
)
export type Items = typeof Items.Type
