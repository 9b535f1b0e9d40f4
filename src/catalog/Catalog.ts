/**
 * The port that knows prices and customers. It is asked before a command enters the mailbox; what it says is kept in the
 * order, as on an invoice. The default asks the `Product` and `Customer` aggregates; embedders may give their own.
 */
import { Context, type Effect, Schema } from "effect"
import type { Unavailable } from "../aggregate/CommandErrors.ts"
import type { Address, Contact } from "../order/Text.ts"
import type { Currency } from "../order/Money.ts"
import { CustomerId, ProductId } from "../order/OrderId.ts"
import type { InvalidOrder } from "../order/OrderRejection.ts"
import type { SaveProductRequest } from "./Product.ts"

const errors = Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))

/** A product is not there or withdrawn: it can't be ordered. */
export class UnknownProduct extends Schema.TaggedError<UnknownProduct>()(
  "UnknownProduct",
  { productIds: Schema.Array(ProductId), errors },
  { httpApiStatus: 422 }
) {
  static of(productIds: ReadonlyArray<ProductId>) {
    const message = (id: ProductId) => `product ${id} is unknown or withdrawn`
    const errors = productIds.map((id) => ({ path: "productId", message: message(id) }))
    return new UnknownProduct({ productIds, errors })
  }
  override get message() {
    return `not in the catalog: ${this.productIds.join(", ")}; order products that are`
  }
}

/** A customer is not there or withdrawn, and can't order. */
export class UnknownCustomer extends Schema.TaggedError<UnknownCustomer>()(
  "UnknownCustomer",
  { customerId: CustomerId, errors },
  { httpApiStatus: 422 }
) {
  static of(customerId: CustomerId) {
    const errors = [{ path: "customerId", message: `customer ${customerId} is unknown or withdrawn` }]
    return new UnknownCustomer({ customerId, errors })
  }
  override get message() {
    return `customer ${this.customerId} is unknown or withdrawn; save the customer first`
  }
}

/** What a product costs now, before any discount. */
export type ProductQuote = SaveProductRequest

export interface QuoteRequest {
  readonly customerId: CustomerId
  readonly currency: Currency
  readonly lines: ReadonlyArray<{ readonly productId: ProductId; readonly quantity: number }>
  readonly shippingAddress: Address
}

/** `products` may hold more than was asked for; one that is missing counts as unknown. */
export interface Quote {
  readonly customer: Contact
  readonly products: ReadonlyMap<ProductId, ProductQuote>
  /** In minor units of the order's currency; an operator's own `shippingCost` wins. */
  readonly shippingCost: number
}

export class Catalog extends Context.Service<
  Catalog,
  {
    /** For a whole order. */
    quote(request: QuoteRequest): Effect.Effect<Quote, UnknownProduct | UnknownCustomer | InvalidOrder | Unavailable>
    /** For one more line of an order. */
    product(productId: ProductId): Effect.Effect<ProductQuote, UnknownProduct | Unavailable>
  }
>()("ordinal/catalog/Catalog") {}
