/** Keeps `ordinal.catalog_view`, which has a row per product and per customer: the state of its aggregate. */
import { Schema } from "effect"
import { CustomerAggregate, Customers, CustomerState } from "../../catalog/Customer.ts"
import { ProductAggregate, Products, ProductState } from "../../catalog/Product.ts"
import { Projection } from "../../projection/TypedProjection.ts"

const [product, customer] = [ProductAggregate.decider, CustomerAggregate.decider]

/**
 * Programs of version 1 read this table too, by these columns, and this program reads theirs: only `withdrawn` was written
 * there by the program.
 */
export const CatalogViewProjection = Projection.fold("catalog-view", {
  version: 2,
  from: [Products, Customers],
  row: Schema.Union([ProductState.cases.Product, CustomerState.cases.Customer]),
  fields: ["withdrawn"],
  table: "ordinal.catalog_view",
  // What was saved under other bounds stays as it is.
  uncheckedRows: true,
  // Whatever was skipped before, an event that saves holds the whole content.
  evolve: (row, { category, event, recordedAt, version }) => {
    const state =
      category === "product"
        ? product.evolve(row?._tag === "Product" ? row : product.initialState, event, recordedAt)
        : customer.evolve(row?._tag === "Customer" ? row : customer.initialState, event, recordedAt)
    return state._tag === "Absent" ? null : { ...state, version }
  }
})
