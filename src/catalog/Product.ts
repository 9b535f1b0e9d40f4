/**
 * A product can be ordered while it is not withdrawn. The whole aggregate is in this file: command, event, state,
 * rules.
 */
import { Result, Schema } from "effect"
import * as Aggregate from "../aggregate/Aggregate.ts"
import { Amount, BasisPoints, Currency } from "../order/Money.ts"
import { ProductId } from "../order/OrderId.ts"
import { Name } from "../order/Text.ts"

const details = { name: Name, unitPrice: Amount, currency: Currency, taxBps: BasisPoints }

/** This is also the body of `PUT /products/{id}`. */
export const SaveProductRequest = Schema.Struct(details).annotate({ identifier: "SaveProductRequest" })
export type SaveProductRequest = typeof SaveProductRequest.Type

export const ProductCommand = Schema.TaggedUnion({
  SaveProduct: { productId: ProductId, ...details },
  WithdrawProduct: { productId: ProductId }
})
export type ProductCommand = typeof ProductCommand.Type

/** These shapes are the storage format: never edit a case that has shipped. */
export const ProductEvent = Schema.TaggedUnion({
  ProductSaved: details,
  ProductWithdrawn: {}
})
export type ProductEvent = typeof ProductEvent.Type

export const ProductState = Schema.TaggedUnion({
  Absent: {},
  Product: { version: Schema.Int, ...details, withdrawn: Schema.Boolean }
})
export type ProductState = typeof ProductState.Type
export type Product = Extract<ProductState, { readonly _tag: "Product" }>

/** The product was never saved. */
export class ProductNotFound extends Schema.TaggedError<ProductNotFound>()(
  "ProductNotFound",
  { productId: ProductId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no product ${this.productId}. Save it first.`
  }
}

const isSame = Schema.toEquivalence(SaveProductRequest)

const decide = (
  command: ProductCommand,
  state: ProductState
): Result.Result<ReadonlyArray<ProductEvent>, ProductNotFound> => {
  switch (command._tag) {
    case "SaveProduct": {
      const { _tag, productId: _, ...saved } = command
      if (state._tag === "Product" && !state.withdrawn && isSame(saved, state)) return Result.succeed([])
      return Result.succeed([{ _tag: "ProductSaved", ...saved }])
    }
    case "WithdrawProduct":
      if (state._tag === "Absent") return Result.fail(new ProductNotFound({ productId: command.productId }))
      return Result.succeed(state.withdrawn ? [] : [{ _tag: "ProductWithdrawn" }])
  }
}

const evolve = (state: ProductState, event: ProductEvent): ProductState => {
  const version = state._tag === "Absent" ? 1 : state.version + 1
  switch (event._tag) {
    case "ProductSaved":
      return { ...event, _tag: "Product", version, withdrawn: false }
    case "ProductWithdrawn":
      if (state._tag === "Absent") throw new Error("ProductWithdrawn comes before ProductSaved; the stream is corrupt.")
      return { ...state, version, withdrawn: true }
  }
}

export class Products extends Aggregate.Service<Products>()("product", {
  id: ProductId,
  command: ProductCommand,
  event: ProductEvent,
  state: ProductState,
  rejection: ProductNotFound,
  initial: { _tag: "Absent" },
  decide,
  evolve,
  uncheckedEvents: true
}) {}

export const ProductAggregate = Products.aggregate
