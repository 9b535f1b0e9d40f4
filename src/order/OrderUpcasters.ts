/** The shapes that order events were once stored in. Never edit one: logs hold such events for ever. */
import { Schema } from "effect"
import * as Upcaster from "../aggregate/Upcaster.ts"
import { Items } from "./Line.ts"
import { Quantity } from "./Money.ts"
import { LineId, ReturnId } from "./OrderId.ts"
import { Note } from "./Text.ts"

/** Version 1: a return was of one line. */
const ItemsReturnedV1 = Schema.Struct({
  returnId: ReturnId,
  lineId: LineId,
  quantity: Quantity,
  reason: Schema.optionalKey(Note)
})

export const orderUpcasters = {
  ItemsReturned: Upcaster.since(ItemsReturnedV1).now(({ lineId, quantity, ...rest }) => ({
    ...rest,
    items: [{ lineId, quantity }] as typeof Items.Encoded
  }))
}
