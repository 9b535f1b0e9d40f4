/** The part of `Orders` that is about products and customers. */
import type { Effect } from "effect"
import type { CustomerNotFound, SaveCustomerRequest } from "../catalog/Customer.ts"
import type { ProductNotFound, SaveProductRequest } from "../catalog/Product.ts"
import type { Unavailable } from "../aggregate/CommandErrors.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import type { Page, QueryError, QueryOptions, SubmitError, WaitOptions } from "./Answer.ts"
import type { CommandOptions } from "../aggregate/idempotency/Submission.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { InvalidCursor } from "../views/InvalidCursor.ts"
import type { ServerUnreachable } from "./ServerUnreachable.ts"

/** An accepted and stored command on a product or a customer. */
export interface CatalogReceipt {
  readonly version: number
  readonly position: bigint
  readonly commandId: string
  readonly events: ReadonlyArray<string>
  readonly token: string
  readonly replayed: boolean
}

/** A product or customer as it is now, from its actor. Withdrawn ones can't be ordered, or order. */
export interface Product extends SaveProductRequest {
  readonly productId: ProductId
  readonly version: number
  readonly withdrawn: boolean
}

export interface Customer extends SaveCustomerRequest {
  readonly customerId: CustomerId
  readonly version: number
  readonly withdrawn: boolean
}

/** Read from its actor: the newest there is, so it is at least as fresh as any token; one of another log is refused. */
type Read<A, NotFound> = Effect.Effect<
  A & { readonly token: string },
  NotFound | InvalidToken | Unavailable | ServerUnreachable
>
type ReadOptions = Pick<QueryOptions, "token">

export interface CatalogWaitOptions extends WaitOptions {
  /** The product, or the customer, that was written: while it is set aside before that, the wait fails as `parked`. */
  readonly productId?: ProductId
  readonly customerId?: CustomerId
}

/** A list by id. */
export interface CatalogListQuery {
  /** `true`: only what was withdrawn, `false`: only what was not. */
  readonly withdrawn?: boolean
  /** 1..100, default 20. */
  readonly limit?: number
  readonly cursor?: string
}

export interface CatalogService {
  saveProduct(
    productId: ProductId,
    product: SaveProductRequest,
    options?: CommandOptions
  ): Effect.Effect<CatalogReceipt, SubmitError>
  withdrawProduct(
    productId: ProductId,
    options?: CommandOptions
  ): Effect.Effect<CatalogReceipt, ProductNotFound | SubmitError>
  product(productId: ProductId, options?: ReadOptions): Read<Product, ProductNotFound>
  /** A page of all products by id, as the catalog view has them. */
  products(
    query?: CatalogListQuery,
    options?: QueryOptions
  ): Effect.Effect<Page<"products", Product>, InvalidCursor | QueryError>
  saveCustomer(
    customerId: CustomerId,
    customer: SaveCustomerRequest,
    options?: CommandOptions
  ): Effect.Effect<CatalogReceipt, SubmitError>
  withdrawCustomer(
    customerId: CustomerId,
    options?: CommandOptions
  ): Effect.Effect<CatalogReceipt, CustomerNotFound | SubmitError>
  customer(customerId: CustomerId, options?: ReadOptions): Read<Customer, CustomerNotFound>
  customers(
    query?: CatalogListQuery,
    options?: QueryOptions
  ): Effect.Effect<Page<"customers", Customer>, InvalidCursor | QueryError>
  /** Done once the lists hold what the token stands for, but for what is set aside and not asked about. */
  awaitCatalog(token: string, options?: CatalogWaitOptions): Effect.Effect<void, QueryError>
}
