/** Callers see a product or customer as the state of its aggregate, with its id. */
import type { Customer, SaveCustomerRequest } from "../../catalog/Customer.ts"
import type { Product, SaveProductRequest } from "../../catalog/Product.ts"
import type { CustomerId, ProductId } from "../../order/OrderId.ts"

/** A withdrawn product can't be ordered. */
export interface ProductView extends SaveProductRequest {
  readonly productId: ProductId
  readonly version: number
  readonly withdrawn: boolean
}

/** A withdrawn customer can't order. */
export interface CustomerView extends SaveCustomerRequest {
  readonly customerId: CustomerId
  readonly version: number
  readonly withdrawn: boolean
}

export const productView = (productId: ProductId, { _tag, ...product }: Product): ProductView => ({
  productId,
  ...product
})

export const customerView = (customerId: CustomerId, { _tag, ...customer }: Customer): CustomerView => ({
  customerId,
  ...customer
})
