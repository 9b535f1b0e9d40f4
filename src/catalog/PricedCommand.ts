/**
 * Prices a caller's request with the catalog's quote and so makes the command, or the line of one, that enters the
 * order's mailbox. All functions here are pure.
 */
import { Array, Result } from "effect"
import type { Line } from "../order/Line.ts"
import type { Command } from "../order/OrderCommand.ts"
import type { LineId, OrderId } from "../order/OrderId.ts"
import { InvalidOrder } from "../order/OrderRejection.ts"
import type { AddLineRequest, PlaceOrderRequest } from "../order/OrderRequest.ts"
import { type ProductQuote, type Quote, UnknownProduct } from "./Catalog.ts"

/** The service makes these: `lineId(index)` is for a line without an id, `request` is the request's fingerprint. */
export interface Made {
  readonly orderId: OrderId
  readonly lineId: (index: number) => LineId
  readonly request: string
}

export const priceLine = (request: AddLineRequest, product: ProductQuote, lineId: LineId): Line => ({
  lineId,
  productId: request.productId,
  name: product.name,
  quantity: request.quantity,
  unitPrice: product.unitPrice,
  unitDiscount: request.unitDiscount ?? 0,
  taxBps: product.taxBps
})

/** Prices an order. Every product must be in the catalog and sold in the order's currency. */
export const priceOrder = (
  request: PlaceOrderRequest,
  quote: Quote,
  made: Made
): Result.Result<Command<"PlaceOrder">, UnknownProduct | InvalidOrder> => {
  const { confirm, currency, customerId, shippingAddress, shippingCost = quote.shippingCost } = request
  const priced = request.lines.map((line) => ({ line, product: quote.products.get(line.productId) }))
  const lines = priced.flatMap(({ line, product }, index) =>
    product === undefined ? [] : [priceLine(line, product, line.lineId ?? made.lineId(index))]
  )
  const unknown = priced.flatMap(({ line, product }) => (product === undefined ? [line.productId] : []))
  if (unknown.length > 0 || !Array.isReadonlyArrayNonEmpty(lines)) {
    return Result.fail(UnknownProduct.of(Array.dedupe(unknown), request.lines))
  }
  const errors = priced.flatMap(({ product }, index) =>
    product === undefined || product.currency === currency
      ? []
      : [
          {
            path: `lines[${index}].productId`,
            message: `The product is sold in ${product.currency}, not in ${currency}.`
          }
        ]
  )
  if (errors.length > 0) return Result.fail(new InvalidOrder({ errors }))
  return Result.succeed({
    _tag: "PlaceOrder",
    orderId: made.orderId,
    customerId,
    customer: quote.customer,
    currency,
    lines,
    shippingAddress,
    shippingCost,
    ...(confirm === undefined ? {} : { confirm }),
    request: made.request
  })
}
