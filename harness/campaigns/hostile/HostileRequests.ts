/**
 * Requests from a seed: valid, nearly valid and hostile, for every operation that the API describes and for some that
 * it does not. The same seed makes the same requests, so what failed can be sent again.
 */
import { address } from "../../fixtures/Shop.ts"
import * as Hostile from "./HostileValues.ts"

export interface Operation {
  readonly method: string
  /** This is the path as OpenAPI writes it: `/orders/{id}`. */
  readonly path: string
}

export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const lines = [{ productId: "mug", quantity: 2, lineId: "a" }]

/** Gives a good body of each command, by the end of its path. */
const goodBodies: Readonly<Record<string, object>> = {
  "/orders": { customerId: "ada", currency: "EUR", lines, shippingAddress: address, confirm: false, shippingCost: 490 },
  "/lines": { productId: "mug", quantity: 1, lineId: "b", unitDiscount: 5 },
  "/lines/{lineId}": { quantity: 2 },
  "/shipping-address": { ...address, line2: "rear", region: "x" },
  "/cancel": { reason: "other", note: "as agreed" },
  "/cancel-items": { items: [{ lineId: "a", quantity: 1 }], reason: "x", cancellationId: "c" },
  "/shipments": { items: [{ lineId: "a", quantity: 1 }], shipmentId: "s", carrier: "DHL", tracking: "1" },
  "/returns": { items: [{ lineId: "a", quantity: 1 }], returnId: "r", reason: "too small" },
  "/payments": { amount: 1, paymentId: "a", provider: "p", reference: "r" },
  "/capture": { amount: 1, captureId: "c" },
  "/refund": { amount: 1, refundId: "r", reason: "x" },
  "/products/{id}": { name: "Mug", unitPrice: 1250, currency: "EUR", taxBps: 1900 },
  "/customers/{id}": { name: "Ada", email: "ada@example.org" }
}

const queryNames = [
  "customerId",
  "status",
  "paymentStatus",
  "placedAfter",
  "placedBefore",
  "sort",
  "limit",
  "cursor",
  "after",
  "x",
  "__proto__",
  "limit[]",
  ""
]
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
const strayPaths = ["/", "/docs", "/nope", "/orders/{id}/{x}", "//", "/orders//events", "/orders/", "/.env", "/%2e%2e/"]

/** `remembered`: ids, cursors and tokens that the server itself gave, to be sent back whole or damaged. */
export const make = (
  random: () => number,
  operations: ReadonlyArray<Operation>,
  remembered: () => { readonly orders: ReadonlyArray<string>; readonly opaque: ReadonlyArray<string> }
) => {
  const below = (count: number) => Math.floor(random() * count)
  const pick = <A>(from: ReadonlyArray<A>): A => from[below(from.length)]!
  const encoded = () =>
    encodeURIComponent(pick(Hostile.texts).toWellFormed()).replaceAll("%25", () => pick(["%", "%25"]))

  /** Something the server said, perhaps with a letter changed. */
  const opaque = () => {
    const text = pick(remembered().opaque)
    if (text === undefined || random() < 0.4) return text ?? "x"
    const at = below(text.length)
    return `${text.slice(0, at)}${pick(["", "A", "0", ".", "-"])}${text.slice(at + 1)}`
  }

  const goodId = (path: string) => {
    if (path.startsWith("/products")) return "mug"
    return path.startsWith("/customers") ? "ada" : (pick(remembered().orders) ?? "ord_")
  }

  const fill = (path: string) =>
    path
      .replace("{id}", () => (random() < 0.75 ? goodId(path) : encoded()))
      .replace(/\{[^}]+\}/g, () => (random() < 0.7 ? "a" : encoded()))

  const query = () => {
    if (random() < 0.7) return ""
    const value = () => (random() < 0.3 ? encodeURIComponent(opaque()) : encoded())
    return `?${Array.from({ length: 1 + below(3) }, () => `${pick(queryNames)}=${value()}`).join("&")}`
  }

  /** Anything from untouched to not even JSON. */
  const damaged = (good: string) => {
    const values = [...good.matchAll(/:("[^"]*"|\d+|true|false)/g)]
    switch (below(10)) {
      case 0:
        return pick(Hostile.json)
      case 1:
        return good.slice(0, below(good.length))
      case 2:
        return good.replace("{", `{"${pick(Hostile.members)}":${pick(Hostile.json)},`)
      case 3:
      case 4: {
        const [text] = values.length === 0 ? [""] : pick(values)
        return text === "" ? good : good.replace(text, () => `:${pick(Hostile.json)}`)
      }
      case 5:
        return good.replace(/"[a-zA-Z]+":("[^"]*"|\d+|true|false),?/, "")
      default:
        return good
    }
  }

  const header = (): readonly [string, string] => {
    const name = pick(Object.keys(Hostile.headers))
    if (random() < 0.2) return [name, pick(Hostile.anyHeader)]
    const isOpaque = name === "consistency-token" || name === "idempotency-key"
    return [name, isOpaque && random() < 0.5 ? opaque() : pick(Hostile.headers[name]!)]
  }

  return (): HostileRequest => {
    const stray = { method: pick(methods), path: pick([...strayPaths, ...operations.map(({ path }) => path)]) }
    const { method, path } = random() < 0.8 ? pick(operations) : stray
    const ending = path.startsWith("/orders/{id}/")
      ? path.replace(/^\/orders\/\{id\}(\/payments\/\{[^}]+\})?/, "")
      : path
    const hostile = random() < 0.5 ? 0 : 1 + below(3)
    const headers = Object.fromEntries(Array.from({ length: hostile }, header))
    const body = damaged(JSON.stringify(goodBodies[ending] ?? {}))
    const hasBody = method !== "GET" && method !== "HEAD" && random() < 0.92
    return {
      method,
      path: fill(path) + query(),
      headers: { ...(random() < 0.95 ? { "content-type": "application/json" } : {}), ...headers },
      ...(hasBody ? { body } : {})
    }
  }
}
