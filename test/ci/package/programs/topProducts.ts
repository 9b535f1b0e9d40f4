/** Orders mugs and prints the day's best products, as the example's projection has counted them. */
import { DateTime, Effect } from "effect"
import { DemoCatalog, Orders, OrdersLayers } from "ordinal"
import { Currency, CustomerId, ProductId } from "ordinal/order"
import { ProductSales, topProducts } from "../../../../examples/TopProducts.ts"

const program = Effect.gen(function* () {
  const orders = yield* Orders
  const receipt = yield* orders.place({
    customerId: CustomerId.make("ada"),
    currency: Currency.make("EUR"),
    lines: [{ productId: ProductId.make("mug"), quantity: 2 }],
    shippingAddress: { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" }
  })
  const today = DateTime.formatIsoDateUtc(yield* DateTime.now)
  const best = yield* topProducts(today, receipt, { wait: "30 seconds" })
  return best.map(({ productId, sold }) => `${productId} ${sold}`).join(", ")
})

const shop = OrdersLayers.layerPglite("memory", { projections: [ProductSales] })
console.log(await Effect.runPromise(program.pipe(Effect.provide(DemoCatalog.layer), Effect.provide(shop))))
