/**
 * This port knows prices and customers. It is asked before a command enters the mailbox, and the order keeps its
 * answer, as on an invoice. The default (`PriceLookup`) remembers the `Product` and `Customer` aggregates; embedders
 * may provide their own.
 */
import { Context, type Effect, Schema } from "effect"
import type { Unavailable } from "../aggregate/CommandErrors.ts"
import type { Guard } from "../eventstore/EventStore.ts"
import type { Address, Contact } from "../order/Text.ts"
import type { Currency } from "../order/Money.ts"
import { CustomerId, ProductId } from "../order/OrderId.ts"
import type { InvalidOrder } from "../order/OrderRejection.ts"
import type { SaveProductRequest } from "./Product.ts"

const errors = Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))

/** Products that are not in the catalog or withdrawn can't be ordered. */
export class UnknownProduct extends Schema.TaggedError<UnknownProduct>()(
  "UnknownProduct",
  { productIds: Schema.Array(ProductId), errors },
  { httpApiStatus: 422 }
) {
  /** `lines` are those of the request, if it has some; the errors then name their places. */
  static of(productIds: ReadonlyArray<ProductId>, lines?: QuoteRequest["lines"]) {
    const places = lines?.map(({ productId }, index) => ({ productId, path: `lines[${index}].productId` }))
    const errors = (places ?? productIds.map((productId) => ({ productId, path: "productId" })))
      .filter(({ productId }) => productIds.includes(productId))
      .map(({ path, productId }) => ({ path, message: `Product ${productId} is unknown or withdrawn.` }))
    return new UnknownProduct({ productIds, errors })
  }
  override get message() {
    return `These products are unknown or withdrawn: ${this.productIds.join(", ")}. Order others, or save them first.`
  }
}

/** A customer who is not in the catalog or withdrawn can't order. */
export class UnknownCustomer extends Schema.TaggedError<UnknownCustomer>()(
  "UnknownCustomer",
  { customerId: CustomerId, errors },
  { httpApiStatus: 422 }
) {
  static of(customerId: CustomerId) {
    const errors = [{ path: "customerId", message: `Customer ${customerId} is unknown or withdrawn.` }]
    return new UnknownCustomer({ customerId, errors })
  }
  override get message() {
    return `Customer ${this.customerId} is unknown or withdrawn. Save the customer first.`
  }
}

/** Holds a product with its price of now, before any discount. */
export type ProductQuote = SaveProductRequest

export interface QuoteRequest {
  readonly customerId: CustomerId
  readonly currency: Currency
  readonly lines: ReadonlyArray<{ readonly productId: ProductId; readonly quantity: number }>
  readonly shippingAddress: Address
}

/** `products` may hold more than was asked for; a product that is missing counts as unknown. */
export interface Quote {
  readonly customer: Contact
  readonly products: ReadonlyMap<ProductId, ProductQuote>
  /** The cost is in minor units of the order's currency, and counts only if the request names no `shippingCost`. */
  readonly shippingCost: number
  /**
   * The streams of the log that the quote was made from, with their versions. An order at this quote is stored only if
   * they still have these; otherwise a fresh quote is asked for. Without guards, the quote is taken as it is.
   */
  readonly guards?: ReadonlyArray<Guard>
}

export type QuotedProduct = ProductQuote & Pick<Quote, "guards">

export interface QuoteOptions {
  /**
   * Asks for what is true now, and for nothing that is merely remembered: a guard of the last quote has moved, or the
   * order would be refused because of it.
   */
  readonly fresh?: boolean
}

export class Catalog extends Context.Service<
  Catalog,
  {
    /** Quotes a whole order: its customer, its products, and what shipping costs. */
    quote(
      request: QuoteRequest,
      options?: QuoteOptions
    ): Effect.Effect<Quote, UnknownProduct | UnknownCustomer | InvalidOrder | Unavailable>
    /** Quotes one product, for one more line of an order. */
    product(productId: ProductId, options?: QuoteOptions): Effect.Effect<QuotedProduct, UnknownProduct | Unavailable>
  }
>()("ordinal/catalog/Catalog") {}
