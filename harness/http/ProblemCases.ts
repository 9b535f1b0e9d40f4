/** Provokes each problem type with a request, and says which members its document must have. */
import { assert } from "@effect/vitest"
import { mug, placement } from "../fixtures/Shop.ts"
import * as Servers from "../servers/FaultyServer.ts"
import { after, any, type Case, inTrouble, items, keyed, lines, only, payment, place, simply } from "./ProblemSteps.ts"

const missing = "ord_01890000-0000-7000-8000-000000000000"
const existing = "ord_01890000-0000-7000-8000-000000000001"

export const cases: ReadonlyArray<Case> = [
  { slug: "invalid-request", status: 400, members: { errors: any }, provoke: simply("POST", "/orders", {}) },
  { slug: "invalid-cursor", status: 400, members: {}, provoke: simply("GET", "/orders?cursor=x") },
  {
    slug: "invalid-token",
    status: 400,
    members: { token: "999.x" },
    provoke: simply("GET", "/orders", undefined, { "consistency-token": "999.x" })
  },
  {
    slug: "invalid-position",
    status: 400,
    members: { position: 999_999, head: any },
    provoke: simply("GET", "/events?after=999999")
  },
  {
    slug: "invalid-idempotency-key",
    status: 400,
    members: {},
    provoke: simply("POST", "/orders", placement(), { "idempotency-key": "x".repeat(256) })
  },
  { slug: "order-not-found", status: 404, members: { orderId: missing }, provoke: simply("GET", `/orders/${missing}`) },
  {
    slug: "line-not-found",
    status: 404,
    members: { orderId: any, lineId: "z" },
    provoke: after([], ["POST", "/shipments", items(1, "z")])
  },
  {
    slug: "shipment-not-found",
    status: 404,
    members: { orderId: any, shipmentId: "s" },
    provoke: after([], ["POST", "/shipments/s/deliver"])
  },
  {
    slug: "payment-not-found",
    status: 404,
    members: { orderId: any, paymentId: "p" },
    provoke: after([], ["POST", "/payments/p/capture", {}])
  },
  { slug: "product-not-found", status: 404, members: { productId: "x" }, provoke: simply("GET", "/products/x") },
  { slug: "customer-not-found", status: 404, members: { customerId: "x" }, provoke: simply("DELETE", "/customers/x") },
  { slug: "not-found", status: 404, members: {}, provoke: simply("GET", "/nothing/here") },
  { slug: "method-not-allowed", status: 405, members: { allow: any }, provoke: simply("PATCH", "/orders") },
  {
    slug: "invalid-transition",
    status: 409,
    members: { orderId: any, orderStatus: "placed", command: "ShipItems", allowed: any, actions: any },
    provoke: after([], ["POST", "/shipments", {}], { confirm: false })
  },
  {
    slug: "already-shipped",
    status: 409,
    members: { orderId: any, orderStatus: "shipped", hint: any },
    provoke: after([["POST", "/shipments", {}]], ["POST", "/cancel", { reason: "other" }])
  },
  {
    slug: "last-line",
    status: 409,
    members: { orderId: any, lineId: "a" },
    provoke: after([], ["DELETE", "/lines/a"], { confirm: false })
  },
  {
    slug: "quantity-exceeded",
    status: 409,
    members: { orderId: any, items: [{ lineId: "a", requested: 3, available: 2 }] },
    provoke: after([], ["POST", "/cancel-items", items(3)])
  },
  {
    slug: "amount-exceeded",
    status: 409,
    members: { orderId: any, requested: 2_000, available: 1_000 },
    provoke: after([["POST", "/payments", payment]], ["POST", "/payments/p/capture", { amount: 2_000 }])
  },
  {
    slug: "payment-closed",
    status: 409,
    members: { orderId: any, paymentId: "p", command: "CapturePayment" },
    provoke: after(
      [
        ["POST", "/payments", payment],
        ["POST", "/payments/p/void"]
      ],
      ["POST", "/payments/p/capture", {}]
    )
  },
  {
    slug: "payment-required-before-shipment",
    status: 409,
    members: { orderId: any, required: "captured", missing: 2_975 },
    trouble: { policies: { shipRequires: "captured" } },
    provoke: after([], ["POST", "/shipments", {}])
  },
  {
    slug: "order-exists",
    status: 409,
    members: { orderId: existing },
    provoke: async (server) => {
      await place(server, { orderId: existing })
      return server.send("POST", "/orders", placement({ orderId: existing, lines, shippingCost: 1 }))
    }
  },
  {
    slug: "id-reused",
    status: 409,
    members: { orderId: any, kind: "payment", id: "p" },
    provoke: after([["POST", "/payments", payment]], ["POST", "/payments", { ...payment, amount: 1 }])
  },
  {
    slug: "order-too-long",
    status: 409,
    members: { orderId: Servers.longOrder },
    trouble: Servers.long,
    provoke: (server) => {
      server.breakIt()
      return server.send("POST", `/orders/${Servers.longOrder}/confirm`)
    }
  },
  {
    slug: "concurrency-conflict",
    status: 409,
    members: { streamId: any, currentVersion: any },
    trouble: Servers.losing,
    provoke: inTrouble
  },
  {
    slug: "idempotency-in-progress",
    status: 409,
    members: { retryAfter: any },
    trouble: Servers.hanging,
    provoke: async (server) => {
      const at = await place(server)
      server.breakIt()
      const twins = [0, 1].map(() => server.send("POST", `${at}/shipments`, {}, keyed))
      return only(server, twins)
    }
  },
  {
    slug: "version-mismatch",
    status: 412,
    members: { expected: 1, currentVersion: 2 },
    provoke: after([], ["POST", "/shipments", {}, { "if-match": '"1"' }])
  },
  {
    slug: "content-too-large",
    status: 413,
    members: { limit: 262_144 },
    provoke: simply("POST", "/orders", placement({ note: "x".repeat(262_144) }))
  },
  {
    slug: "unsupported-media-type",
    status: 415,
    members: { header: "content-type" },
    provoke: simply("POST", "/orders", placement(), { "content-type": "text/plain" })
  },
  {
    slug: "invalid-order",
    status: 422,
    members: { errors: any },
    provoke: simply("POST", "/orders", placement({ lines: [...lines, ...lines] }))
  },
  {
    slug: "unknown-product",
    status: 422,
    members: { productIds: ["x"], errors: any },
    provoke: simply("POST", "/orders", placement({ lines: [{ productId: "x", quantity: 1 }] }))
  },
  {
    slug: "unknown-customer",
    status: 422,
    members: { customerId: "x", errors: any },
    provoke: simply("POST", "/orders", placement({ customerId: "x" }))
  },
  {
    slug: "idempotency-key-reused",
    status: 422,
    members: {},
    provoke: async (server) => {
      await server.send("PUT", "/products/tea", mug, keyed)
      return server.send("PUT", "/products/tea", { ...mug, unitPrice: 1 }, keyed)
    }
  },
  {
    slug: "internal",
    status: 500,
    members: {},
    trouble: Servers.corrupt,
    provoke: async (server) => {
      const at = await place(server)
      server.breakIt()
      return server.get(`${at}/versions/1`)
    }
  },
  {
    slug: "projection-behind",
    status: 503,
    members: { required: any, current: any, retryAfter: 1 },
    trouble: Servers.blind,
    provoke: async (server) => {
      server.breakIt()
      const { body, headers } = await server.send("POST", "/orders", placement())
      const token = headers.get("consistency-token") ?? ""
      return server.get(`/orders/${body.orderId}`, { "consistency-token": token, prefer: "wait=0" })
    }
  },
  {
    slug: "overloaded",
    status: 503,
    members: { what: any, retryAfter: 1 },
    trouble: Servers.full,
    provoke: async (server) => {
      const at = await place(server)
      server.breakIt()
      const sent = ["1", "2", "3"].map((shipmentId) =>
        server.send("POST", `${at}/shipments`, { shipmentId, ...items(1) })
      )
      return only(server, sent)
    }
  },
  { slug: "outcome-unknown", status: 503, members: { retryAfter: 1 }, trouble: Servers.unknown, provoke: inTrouble },
  {
    slug: "database-unavailable",
    status: 503,
    members: { retryAfter: 1 },
    trouble: Servers.unavailable,
    provoke: inTrouble
  },
  {
    slug: "aggregate-suspended",
    status: 503,
    members: { retryAfter: any },
    trouble: Servers.corrupt,
    provoke: async (server) => {
      // Of two orders only the second stays in memory.
      const [at] = [await place(server), await place(server)]
      server.breakIt()
      const confirm = () => server.send("POST", `${at}/confirm`)
      for (let times = 0; times < 5; times++) assert.strictEqual((await confirm()).status, 500)
      return confirm()
    }
  }
]
