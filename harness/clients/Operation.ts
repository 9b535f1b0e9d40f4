/** The commands that a run sends, as the contract has them, and a source of random ones that often get in each other's way. */
import { placement } from "../fixtures/Shop.ts"
import type { Item } from "../judges/Reference.ts"

export type Operation =
  | {
      readonly kind: "place"
      readonly lines: ReadonlyArray<Item & { readonly productId: string }>
      readonly confirm: boolean
    }
  | { readonly kind: "addLine"; readonly lineId: string; readonly quantity: number }
  | { readonly kind: "changeQuantity"; readonly lineId: string; readonly quantity: number }
  | { readonly kind: "removeLine"; readonly lineId: string }
  | { readonly kind: "confirm" }
  | { readonly kind: "ship"; readonly shipmentId: string; readonly items?: ReadonlyArray<Item> }
  | { readonly kind: "deliver"; readonly shipmentId: string }
  | { readonly kind: "return"; readonly returnId: string; readonly items: ReadonlyArray<Item> }
  | { readonly kind: "cancelItems"; readonly cancellationId: string; readonly items: ReadonlyArray<Item> }
  | { readonly kind: "cancel" }
  | { readonly kind: "authorize"; readonly paymentId: string; readonly amount: number }
  | { readonly kind: "capture"; readonly paymentId: string; readonly captureId: string; readonly amount: number }

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

export const request = (orderId: string, operation: Operation): HttpRequest => {
  const at = (rest: string) => `/orders/${orderId}/${rest}`
  switch (operation.kind) {
    case "place": {
      const { confirm, lines } = operation
      return { method: "POST", path: "/orders", body: placement({ orderId, lines, confirm }) }
    }
    case "addLine": {
      const { lineId, quantity } = operation
      return { method: "POST", path: at("lines"), body: { productId: "mug", lineId, quantity } }
    }
    case "changeQuantity":
      return { method: "PATCH", path: at(`lines/${operation.lineId}`), body: { quantity: operation.quantity } }
    case "removeLine":
      return { method: "DELETE", path: at(`lines/${operation.lineId}`) }
    case "confirm":
      return { method: "POST", path: at("confirm") }
    case "ship": {
      const { kind: _, ...body } = operation
      return { method: "POST", path: at("shipments"), body }
    }
    case "deliver":
      return { method: "POST", path: at(`shipments/${operation.shipmentId}/deliver`) }
    case "return": {
      const { kind: _, ...body } = operation
      return { method: "POST", path: at("returns"), body }
    }
    case "cancelItems": {
      const { kind: _, ...body } = operation
      return { method: "POST", path: at("cancel-items"), body }
    }
    case "cancel":
      return { method: "POST", path: at("cancel"), body: { reason: "customer_request" } }
    case "authorize": {
      const { kind: _, ...body } = operation
      return { method: "POST", path: at("payments"), body }
    }
    case "capture": {
      const { kind: _, paymentId, ...body } = operation
      return { method: "POST", path: at(`payments/${paymentId}/capture`), body }
    }
  }
}

/** One of two placements. */
export const placing = (next: () => number): Operation => {
  const quantity = next() < 0.5 ? 60 : 80
  return { kind: "place", lines: ["a", "b"].map((lineId) => ({ lineId, productId: "mug", quantity })), confirm: false }
}

/** Draws from few ids so that clients meet: the same id comes with the same and with other content. */
export const any = (next: () => number): Operation => {
  const below = (bound: number) => Math.floor(next() * bound)
  const lineId = () => ["a", "b", "c", "d", "e"][below(5)]!
  const items = (): ReadonlyArray<Item> => [{ lineId: lineId(), quantity: 1 + below(3) }]
  const id = (prefix: string, bound: number) => `${prefix}${below(bound)}`
  const choices: ReadonlyArray<readonly [weight: number, make: () => Operation]> = [
    [2, () => placing(next)],
    [10, () => ({ kind: "addLine", lineId: lineId(), quantity: 50 + below(3) })],
    [10, () => ({ kind: "changeQuantity", lineId: lineId(), quantity: 40 + below(60) })],
    [4, () => ({ kind: "removeLine", lineId: lineId() })],
    [2, () => ({ kind: "confirm" })],
    [26, () => ({ kind: "ship", shipmentId: id("s", 100), items: items() })],
    [0.2, () => ({ kind: "ship", shipmentId: id("s", 100) })],
    [12, () => ({ kind: "deliver", shipmentId: id("s", 100) })],
    [14, () => ({ kind: "return", returnId: id("r", 60), items: items() })],
    [8, () => ({ kind: "cancelItems", cancellationId: id("x", 60), items: items() })],
    [0.3, () => ({ kind: "cancel" })],
    [5, () => ({ kind: "authorize", paymentId: id("p", 12), amount: 20_000 + 100 * below(2) })],
    [6, () => ({ kind: "capture", paymentId: id("p", 12), captureId: id("k", 8), amount: 3_000 + 1_000 * below(3) })]
  ]
  let rest = next() * choices.reduce((all, [weight]) => all + weight, 0)
  for (const [weight, make] of choices) {
    rest -= weight
    if (rest <= 0) return make()
  }
  return { kind: "confirm" }
}
