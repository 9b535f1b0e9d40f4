/**
 * Defines the commands and queries on products, from which orders are priced, and on customers, for whom they are
 * placed.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { SaveCustomerRequest } from "../../catalog/Customer.ts"
import { SaveProductRequest } from "../../catalog/Product.ts"
import { CustomerId, ProductId } from "../../order/OrderId.ts"
import { CommandBoundary, QueryBoundary } from "./Boundary.ts"
import * as HttpHeaders from "./HttpHeaders.ts"
import { CatalogListQuery, pageOf } from "./ListQuery.ts"
import { Problems } from "../problems/Problems.ts"
import { entityErrors, queryErrors, sendErrors } from "./EndpointErrors.ts"
import { accepted, CustomerReceipt, ProductReceipt } from "./Receipt.ts"
import * as AllowedRoles from "./AllowedRoles.ts"

const kept = { version: Schema.Int, withdrawn: Schema.Boolean }

export const ProductView = Schema.Struct({ productId: ProductId, ...SaveProductRequest.fields, ...kept }).annotate({
  identifier: "Product"
})

export const CustomerView = Schema.Struct({ customerId: CustomerId, ...SaveCustomerRequest.fields, ...kept }).annotate({
  identifier: "Customer"
})

export const ProductPage = pageOf(ProductView).annotate({ identifier: "ProductPage" })
export const CustomerPage = pageOf(CustomerView).annotate({ identifier: "CustomerPage" })

const { entity, catalogReceipt } = HttpHeaders
const notModified = HttpApiSchema.WithHeaders(HttpHeaders.notModified, entity)

const product = HttpApiSchema.WithHeaders(ProductView, entity)
const productSaved = [HttpApiSchema.WithHeaders(ProductReceipt.pipe(accepted), catalogReceipt), product] as const
const onProduct = { params: { id: ProductId }, headers: HttpHeaders.command, success: productSaved }
const customer = HttpApiSchema.WithHeaders(CustomerView, entity)
const customerSaved = [HttpApiSchema.WithHeaders(CustomerReceipt.pipe(accepted), catalogReceipt), customer] as const
const onCustomer = { params: { id: CustomerId }, headers: HttpHeaders.command, success: customerSaved }

const newest =
  "Answers the newest version, which is not read from a view: there is nothing to wait for, and it is never behind. " +
  "A Consistency-Token that is sent along is only checked. "

export class CatalogApi extends HttpApiGroup.make("catalog")
  .add(
    HttpApiEndpoint.put("saveProduct", "/products/:id", {
      ...onProduct,
      payload: SaveProductRequest,
      error: sendErrors
    })
      .annotateMerge(AllowedRoles.operator("Save a product"))
      .middleware(CommandBoundary),
    HttpApiEndpoint.get("product", "/products/:id", {
      params: { id: ProductId },
      headers: HttpHeaders.read,
      success: [product, notModified],
      error: [...entityErrors, Problems.ProductNotFound]
    })
      .annotateMerge(AllowedRoles.everyCaller("Read a product", newest))
      .middleware(QueryBoundary),
    HttpApiEndpoint.get("products", "/products", {
      query: CatalogListQuery,
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(ProductPage, HttpHeaders.page),
      error: [...queryErrors, Problems.InvalidCursor]
    })
      .annotateMerge(AllowedRoles.everyCaller("List products by id"))
      .middleware(QueryBoundary),
    HttpApiEndpoint.delete("withdrawProduct", "/products/:id", {
      ...onProduct,
      error: [...sendErrors, Problems.ProductNotFound]
    })
      .annotateMerge(AllowedRoles.operator("Withdraw a product: it cannot be ordered any more"))
      .middleware(CommandBoundary),
    HttpApiEndpoint.put("saveCustomer", "/customers/:id", {
      ...onCustomer,
      payload: SaveCustomerRequest,
      error: sendErrors
    })
      .annotateMerge(AllowedRoles.operator("Save a customer"))
      .middleware(CommandBoundary),
    HttpApiEndpoint.get("customer", "/customers/:id", {
      params: { id: CustomerId },
      headers: HttpHeaders.read,
      success: [customer, notModified],
      error: [...entityErrors, Problems.CustomerNotFound]
    })
      .annotateMerge(AllowedRoles.ownOrAll("Read a customer", newest))
      .middleware(QueryBoundary),
    HttpApiEndpoint.get("customers", "/customers", {
      query: CatalogListQuery,
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(CustomerPage, HttpHeaders.page),
      error: [...queryErrors, Problems.InvalidCursor]
    })
      .annotateMerge(AllowedRoles.operator("List customers by id"))
      .middleware(QueryBoundary),
    HttpApiEndpoint.delete("withdrawCustomer", "/customers/:id", {
      ...onCustomer,
      error: [...sendErrors, Problems.CustomerNotFound]
    })
      .annotateMerge(AllowedRoles.operator("Withdraw a customer, who cannot order any more"))
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Catalog", description: "Products and customers." })) {}
