import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { openapi } from "./contract.ts"
import { ada, mug, order, start, type TestServer, withCatalog } from "./harness.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

/** A small generator of numbers with a seed, so that what failed can be run again. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

const hostileTexts = [
  "",
  " ",
  "null",
  "undefined",
  "NaN",
  "0",
  "-1",
  "1e999",
  "../../etc/passwd",
  "..%2f..",
  "%00",
  "%",
  "%zz",
  "'; DROP TABLE events; --",
  "{{7*7}}",
  "<script>",
  "$gt",
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "a\r\nX-Evil: 1",
  "💥",
  "a".repeat(300),
  "a".repeat(5000),
  "ord_01890000-0000-7000-8000-000000000000",
  "ord_",
  "*",
  "mug",
  "ada",
  "EUR",
  "[]",
  "{}"
]
const hostileJson = [
  "null",
  "0",
  "-0",
  "1e999",
  "-1e999",
  "0.1",
  "9007199254740993",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  "[]",
  "{}",
  "[[[[]]]]",
  "true",
  '{"__proto__":{}}',
  '{"$gt":""}',
  '"' + "x".repeat(3000) + '"',
  "[null]",
  '{"lineId":"a","quantity":1}',
  "NaN",
  ""
]
const headerNames = [
  "if-match",
  "if-none-match",
  "prefer",
  "consistency-token",
  "traceparent",
  "x-request-id",
  "accept",
  "content-type",
  "content-encoding",
  "idempotency-key",
  "range",
  "te",
  "cookie",
  "authorization",
  "origin",
  "x-http-method-override"
]
const hostileHeaders = [
  "",
  "*",
  '"1"',
  'W/"1"',
  "wait=5",
  "wait=999999999999",
  "1.x",
  "00-0-0-0",
  "x".repeat(2000),
  "text/html",
  "gzip",
  "bytes=0-",
  "\u00ff\u00fe",
  '"',
  "application/json;",
  "application/json"
]
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

/** A good body of each command, by the end of its path. */
const goodBodies: Readonly<Record<string, object>> = {
  "/orders": order({ confirm: false }),
  "/lines": { productId: "mug", quantity: 1 },
  "/lines/{lineId}": { quantity: 2 },
  "/shipping-address": order().shippingAddress,
  "/cancel": { reason: "other" },
  "/cancel-items": { items: [{ lineId: "a", quantity: 1 }] },
  "/shipments": {},
  "/returns": { items: [{ lineId: "a", quantity: 1 }] },
  "/payments": { amount: 1 },
  "/products/{id}": mug,
  "/customers/{id}": ada
}

const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => ({ method: method.toUpperCase(), path }))
)

const make = (random: () => number, orderId: string) => {
  const below = (count: number) => Math.floor(random() * count)
  const pick = <A>(from: ReadonlyArray<A>): A => from[below(from.length)]!
  const encoded = () =>
    encodeURIComponent(pick(hostileTexts).toWellFormed()).replaceAll("%25", () => pick(["%", "%25"]))
  const goodId = (path: string) => (path.startsWith("/orders") ? orderId : "mug")
  const fill = (path: string) =>
    path
      .replace("{id}", () => (random() < 0.7 ? goodId(path) : encoded()))
      .replace(/\{[^}]+\}/g, () => (random() < 0.5 ? "a" : encoded()))
  const query = () => {
    const names = [
      "customerId",
      "status",
      "paymentStatus",
      "placedAfter",
      "sort",
      "limit",
      "cursor",
      "after",
      "x",
      "__proto__"
    ]
    if (random() < 0.7) return ""
    return `?${Array.from({ length: 1 + below(3) }, () => `${pick(names)}=${encoded()}`).join("&")}`
  }
  const damaged = (good: string) => {
    const values = [...good.matchAll(/:("[^"]*"|\d+)/g)]
    switch (below(8)) {
      case 0:
        return pick(hostileJson)
      case 1:
        return good.slice(0, below(good.length))
      case 2:
        return good.replace("{", `{"${pick(["status", "__proto__", "price", ""])}":${pick(hostileJson)},`)
      case 3:
        return values.length === 0 ? good : good.replace(pick(values)[0], `:${pick(hostileJson)}`)
      default:
        return good
    }
  }
  return () => {
    const stray = {
      method: pick(methods),
      path: pick(["/", "/docs", "/nope", "/orders/{id}/{x}", "//", ...Object.keys(openapi.paths)])
    }
    const { method, path } = random() < 0.7 ? pick(operations) : stray
    const [, ending = path] = /\/orders\/\{id\}(\/.*)$/.exec(path) ?? []
    const hostile = random() < 0.5 ? 0 : 1 + below(2)
    const headers = Object.fromEntries(Array.from({ length: hostile }, () => [pick(headerNames), pick(hostileHeaders)]))
    if (headers["prefer"] === "wait=999999999999") delete headers["prefer"]
    const hasBody = method !== "GET" && method !== "HEAD" && random() < 0.9
    return {
      method,
      path: fill(path) + query(),
      init: {
        headers: { ...(random() < 0.9 ? { "content-type": "application/json" } : {}), ...headers },
        ...(hasBody ? { body: damaged(JSON.stringify(goodBodies[ending] ?? {})) } : {})
      }
    }
  }
}

describe("hostile requests", () => {
  it("never end in a 5xx, in silence, or in an error that is no problem document", { timeout: 120_000 }, async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
    const placed = await server.send("POST", "/orders", order({ confirm: false }))
    const next = make(seeded(seed), placed.body.orderId)
    const statuses = new Map<number, number>()
    for (let batch = 0; batch < 100; batch++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { init, method, path } = next()
          const what = `SEED=${seed} ${method} ${path} ${JSON.stringify(init)}`
          // The client itself checks that errors are documents and statuses are documented.
          const { status } = await server
            .request(method, path, { ...init, signal: AbortSignal.timeout(5000) })
            .catch((error: unknown) => Promise.reject(new Error(what, { cause: error })))
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          assert.isBelow(status, 500, what)
        })
      )
    }
    // It would prove nothing if all had failed at the door.
    for (const status of [200, 202, 400, 404, 405, 415]) assert.isAbove(statuses.get(status) ?? 0, 5, `${status}`)
  })
})
