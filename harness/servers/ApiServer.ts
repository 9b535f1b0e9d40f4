/** A real server on a free port, over the in-memory order service or over a stub of it, and a small client. */
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { Duration, Effect, Layer, Logger, ManagedRuntime, References } from "effect"
import { HttpServer } from "effect/http"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import { HttpLimits, defaults } from "../../src/http/listener/HttpLimits.ts"
import { OpenStreams } from "../../src/http/push/OpenStreams.ts"
import * as PushLimits from "../../src/http/push/PushLimits.ts"
import { Readiness } from "../../src/http/handlers/Readiness.ts"
import * as Server from "../../src/http/listener/Server.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { Projections } from "../../src/projection/Projections.ts"
import { type Check, check as checkMain } from "../http/Contract.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed, if it is JSON: a test reads what it expects to be there. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface Options {
  readonly orders?: Layer.Layer<Orders, unknown>
  readonly projections?: Layer.Layer<Projections, unknown>
  readonly ready?: Readiness["Service"]["check"]
  readonly limits?: Partial<HttpLimits>
  readonly push?: Partial<PushLimits.PushLimits>
  readonly logs?: (line: string) => void
}

/** The methods that a test needs; whatever else is called is a defect. */
export const stub = (methods: Partial<Orders["Service"]>): Layer.Layer<Orders> =>
  Layer.succeed(
    Orders,
    new Proxy(methods, {
      get: (target, name) =>
        Reflect.get(target, name) ?? (() => Effect.die(new Error(`${String(name)} is not part of this test`)))
    }) as Orders["Service"]
  )

export const clientOf = (url: string, check: Check = checkMain) => {
  const request = async (method: string, path: string, init: Omit<RequestInit, "method"> = {}): Promise<Answer> => {
    const response = await fetch(url + path, { method, ...init })
    const isStream = response.headers.get("content-type") === "text/event-stream"
    // It has no end.
    if (isStream) await response.body?.cancel()
    const text = isStream ? "" : await response.text()
    const isJson = /json/.test(response.headers.get("content-type") ?? "")
    const body = isJson && text !== "" ? JSON.parse(text) : undefined
    const answer = { status: response.status, headers: response.headers, text, body }
    check(method, path, answer)
    return answer
  }
  return {
    url,
    request,
    get: (path: string, headers: Record<string, string> = {}) => request("GET", path, { headers }),
    /** As `curl --json` sends it. */
    send: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      request(method, path, {
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
      })
  }
}

export type Client = ReturnType<typeof clientOf>

/** However long the machine is held up, nobody gives a command up or hangs up, unless the test is about that. */
export const patience = Duration.minutes(1)

export const patientLimits = { ...defaults, headers: patience, body: patience, request: patience, keepAlive: patience }

/** The port that a server got. */
export const portOf = ({ address }: HttpServer.HttpServer["Service"]): number => {
  if (!("port" in address)) throw new Error("the server did not get a port")
  return address.port
}

export const start = async (options: Options = {}) => {
  const logger = Logger.make(({ cause, fiber, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const line = { message, cause: String(cause), annotations }
    options.logs?.(JSON.stringify(line, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)))
  })
  const layer = Server.layer({ host: "127.0.0.1", port: 0 }).pipe(
    Layer.provide(options.orders ?? OrdersLayers.layerMemory),
    Layer.provide(options.projections ?? Projections.layerNone),
    Layer.provide(OpenStreams.layer),
    Layer.provide(Layer.succeed(Readiness, { check: options.ready ?? Effect.void })),
    Layer.provide(Layer.succeed(HttpLimits, { ...patientLimits, ...options.limits })),
    Layer.provide(
      Layer.succeed(AggregateLimits.AggregateLimits, { ...AggregateLimits.defaults, commandDeadline: patience })
    ),
    Layer.provide(Layer.succeed(PushLimits.PushLimits, { ...PushLimits.defaults, ...options.push })),
    Layer.provide(Logger.layer([logger]))
  )
  const runtime = ManagedRuntime.make(layer)
  const port = portOf(await runtime.runPromise(HttpServer.HttpServer))
  return { ...clientOf(`http://127.0.0.1:${port}`), port, stop: () => runtime.dispose() }
}

export type TestServer = Awaited<ReturnType<typeof start>>

export const address = { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" }

export const order = (extra: object = {}) => ({
  customerId: "ada",
  currency: "EUR",
  lines: [{ productId: "mug", quantity: 2 }],
  shippingAddress: address,
  ...extra
})

export const mug = { name: "Mug", unitPrice: 1250, currency: "EUR", taxBps: 1900 }
export const ada = { name: "Ada", email: "ada@example.org" }

export const withCatalog = async <A extends Client>(server: A): Promise<A> => {
  await server.send("PUT", "/products/mug", mug)
  await server.send("PUT", "/customers/ada", ada)
  return server
}
