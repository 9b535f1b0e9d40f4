/** A shop's program on a client that openapi-typescript has generated; prints what it met. */
import createClient from "openapi-fetch"
import type { paths } from "../schema.d.ts"

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" })

const saved = [
  await client.PUT("/customers/{id}", {
    params: { path: { id: "ada" } },
    body: { name: "Ada Lovelace", email: "ada@example.org" }
  }),
  await client.PUT("/products/{id}", {
    params: { path: { id: "mug" } },
    body: { name: "Mug", unitPrice: 1250, currency: "EUR", taxBps: 1900 }
  }),
  await client.PUT("/products/{id}", {
    params: { path: { id: "tea" } },
    body: { name: "Darjeeling, 100 g", unitPrice: 895, currency: "EUR", taxBps: 700 }
  })
].map(({ response }) => response.status)

const order = {
  customerId: "ada",
  currency: "EUR",
  lines: [
    { productId: "mug", quantity: 2 },
    { productId: "tea", quantity: 1 }
  ],
  shippingAddress: { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" },
  confirm: true
}

const placed = await client.POST("/orders", { params: { header: { prefer: "wait=30" } }, body: order })
// The order, or the receipt if the view is late.
const id = placed.data!.orderId
const lines =
  "lines" in placed.data! ? placed.data.lines.map(({ productName, quantity }) => [productName, quantity]) : []

const shipped = await client.POST("/orders/{id}/shipments", {
  params: { path: { id }, header: { prefer: "wait=30", "idempotency-key": "ship-it" } }
})

const other = await client.POST("/orders", { body: order })
const cancelled = await client.POST("/orders/{id}/cancel", {
  params: { path: { id: other.data!.orderId }, header: { prefer: "wait=30" } },
  body: { reason: "customer_request" }
})

const { data: list } = await client.GET("/orders", {
  params: { query: { status: ["shipped", "cancelled"], limit: 5, sort: "placedAt", customerId: "ada" } }
})

const { error } = await client.POST("/orders/{id}/cancel", { params: { path: { id } }, body: { reason: "other" } })
let problem = ""
switch (error?.type) {
  // The type tells which members the problem has.
  case "/problems/already-shipped":
    problem = `${error.orderStatus}: ${error.hint}`
    break
  case "/problems/order-not-found":
    problem = error.orderId
    break
}

const total = shipped.data !== undefined && "totals" in shipped.data ? shipped.data.totals.total : 0
console.log(
  JSON.stringify({
    saved,
    placed: placed.response.status,
    lines,
    total,
    cancelled: cancelled.data?.status,
    listed: list?.data.map(({ status }) => status),
    problem
  })
)
