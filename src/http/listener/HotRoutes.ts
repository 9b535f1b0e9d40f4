/**
 * Answers the requests that come most often without their endpoint, which decodes, encodes and provides far more than
 * these need: placing an order, confirming one, reading one by its id, and listing orders.
 *
 * A hot route answers only what succeeds, and exactly as the endpoint would. All else it leaves to the endpoint, together
 * with what it has found out: unusual headers, bodies that do not fit, and failures of the service.
 */
import type { ServerResponse } from "node:http"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Context, Effect, Exit, type Fiber, Layer, Option, Result, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { SchemaJITCompiler } from "effect/schema"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import { OrderId } from "../../order/OrderId.ts"
import { PlaceOrderRequest, parseOptions } from "../../order/OrderRequest.ts"
import * as CheckedOrders from "../../orders/CheckedOrders.ts"
import { Orders } from "../../orders/Orders.ts"
import type { OrderListRequest } from "../../orders/QueryOptions.ts"
import type { Receipt } from "../../orders/Receipt.ts"
import { OrderListQuery } from "../api/ListQuery.ts"
import { Api } from "../api/Api.ts"
import * as Guard from "../guard/Guard.ts"
import * as OwnOrders from "../guard/OwnOrders.ts"
import type { Attempt } from "../handlers/Attempt.ts"
import { Caller } from "../handlers/Caller.ts"
import { Elsewhere } from "../handlers/Elsewhere.ts"
import * as Reply from "../handlers/Reply.ts"
import { listRequest, named, operator, queryOptions, readCommandOptions } from "../handlers/RequestOptions.ts"
import * as RequestBody from "../wire/RequestBody.ts"
import type { RequestIds } from "../wire/RequestId.ts"
import { HttpLimits } from "./HttpLimits.ts"
import * as RequestDeadline from "./RequestDeadline.ts"

type Response = HttpServerResponse.HttpServerResponse

export interface Asked<E, R> {
  readonly request: HttpServerRequest.HttpServerRequest
  readonly ids: RequestIds
  readonly deadline: RequestDeadline.Deadline
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly trace: string | undefined
  /** Has the endpoint answer. */
  readonly endpoint: (attempt: Attempt) => Effect.Effect<Response, E, R>
}

export interface HotRoute {
  /** The path as the API defines it. */
  readonly path: string
  answer<E, R>(asked: Asked<E, R>): Effect.Effect<Reply.Ready | Response, E, R>
}

type Find = (request: Pick<HttpServerRequest.HttpServerRequest, "headers" | "method" | "url">) => HotRoute | undefined

/** There are none unless they are provided, which only a server may do whose API is mounted without a prefix. */
export const HotRoutes = Context.Reference<Find>("ordinal/http/listener/HotRoutes", {
  defaultValue: () => () => undefined
})

/**
 * Writes an answer on Node's response, with the headers that `RouterMiddleware` gives to all answers, and returns what
 * stands for it: the server finds the response ended.
 */
export const write = (
  request: HttpServerRequest.HttpServerRequest,
  { headers, status, text }: Reply.Ready,
  ids: RequestIds,
  traceparent: string | undefined,
  more: Readonly<Record<string, string>> | undefined
): Response => {
  const lines: Array<string> = []
  for (const name in headers) lines.push(name, headers[name]!)
  for (const name in more) lines.push(name, more[name]!)
  lines.push("x-request-id", ids.echo, "x-content-type-options", "nosniff", "cache-control", "private, no-cache")
  if (traceparent !== undefined) lines.push("traceparent", traceparent)
  lines.push("content-type", "application/json", "content-length", String(Buffer.byteLength(text)))
  const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
  // Nobody reads on if the caller has left.
  if (!response.destroyed) response.writeHead(status, lines).end(text)
  return HttpServerResponse.empty({ status })
}

const isOrderId = Schema.is(OrderId)
const ordersPath = "/orders/"
const confirmPath = "/confirm"

const decodeList = Schema.decodeUnknownOption(Schema.Struct(OrderListQuery), parseOptions)

/** Reads the query of a list; `undefined` if it is the endpoint's to judge. */
const readList = (url: string): OrderListRequest | undefined => {
  const parameters = new URLSearchParams(url.slice("/orders".length))
  const query = Object.fromEntries(parameters)
  if (Object.keys(query).length < parameters.size) return undefined
  return Option.getOrUndefined(Option.map(decodeList(query), listRequest))
}

const isList = (url: string): boolean => url === "/orders" || url.startsWith("/orders?")

/** Answers what the service gives; what it fails with is the endpoint's to answer, but for defects and interruptions. */
const answerOf = <A, E, E2, R>(
  { endpoint }: Asked<E2, R>,
  ask: Effect.Effect<A, E>,
  ready: (answer: A) => Reply.Ready | undefined,
  attempt: Attempt = {}
): Effect.Effect<Reply.Ready | Response, E2, R> =>
  Effect.matchCauseEffect(Effect.interruptible(ask), {
    onSuccess: (answer): Effect.Effect<Reply.Ready | Response, E2, R> => {
      const made = ready(answer)
      return made === undefined ? endpoint({ ...attempt, outcome: Exit.succeed(answer) }) : Effect.succeed(made)
    },
    onFailure: (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : endpoint({ ...attempt, outcome: Exit.failCause(cause) })
  })

const make = Effect.gen(function* () {
  const orders = yield* Orders
  const limits = yield* HttpLimits
  const elsewhere = yield* Elsewhere
  const service = CheckedOrders.unchecked(orders)

  const { admit, ruleOf } = yield* Guard.make(Api)
  const callersOrders = (fiber: Fiber.Fiber<unknown, unknown>) => OwnOrders.of(service, fiber.getRef(Caller))

  /** Has callers let in first. Whoever is not is refused by the endpoint, which is told so. */
  const guarded = (method: string, path: string) => {
    const rule = ruleOf({ method, path })
    return (answer: HotRoute["answer"]): HotRoute => {
      if (admit === undefined) return { path, answer }
      return {
        path,
        answer: (asked) =>
          Effect.matchEffect(Effect.interruptible(admit(asked.request, rule)), {
            onSuccess: (caller) => {
              asked.fiber.setContext(Context.add(asked.fiber.context, Caller, caller))
              const endpoint: typeof asked.endpoint = (attempt) => asked.endpoint({ ...attempt, admission: "granted" })
              return answer({ ...asked, endpoint })
            },
            onFailure: (admission) => asked.endpoint({ admission })
          })
      }
    }
  }

  const guardedGet = guarded("GET", "/orders/:id")
  const get = (orderId: OrderId) =>
    guardedGet((asked) => {
      const { deadline, fiber, request } = asked
      RequestDeadline.ofQuery(deadline, fiber, request, limits)
      const { "consistency-token": token, prefer } = request.headers
      const { applied, options } = queryOptions({ "consistency-token": token, prefer })
      const found = callersOrders(fiber).get(orderId, options)
      return answerOf(asked, found, (result) => Reply.readyOrder("", result, applied))
    })

  const guardedList = guarded("GET", "/orders")
  const list = (wanted: OrderListRequest) =>
    guardedList((asked) => {
      const { deadline, fiber, request } = asked
      RequestDeadline.ofQuery(deadline, fiber, request, limits)
      const { "consistency-token": token, prefer } = request.headers
      const { applied, options } = queryOptions({ "consistency-token": token, prefer })
      const found = callersOrders(fiber).list(wanted, options)
      return answerOf(asked, found, (result) => Reply.readyOrders("", result, request, applied))
    })

  /** `read` gives `undefined` for a body that is the endpoint's to judge. */
  const command = <Payload>(
    guarded: (answer: HotRoute["answer"]) => HotRoute,
    read: (text: string) => Payload | undefined,
    send: (
      orders: OwnOrders.CallersOrders,
      payload: Payload,
      options: CommandOptions
    ) => Effect.Effect<Receipt, unknown>,
    creates = false
  ): HotRoute =>
    guarded((asked) => {
      const { deadline, endpoint, fiber, ids, request, trace } = asked
      return Effect.matchEffect(Effect.interruptible(RequestBody.read(request, limits.body)), {
        onSuccess: (text) => {
          const body = Effect.succeed(text)
          const { "idempotency-key": key } = request.headers
          const caller = named(fiber.getRef(Caller), operator)
          const options = readCommandOptions({ "idempotency-key": key }, ids.uuid, caller, trace)
          const payload = read(text)
          if (payload === undefined || Result.isFailure(options)) return endpoint({ body })
          RequestDeadline.ofCommand(deadline, fiber, request, limits)
          const sent = send(callersOrders(fiber), payload, options.success)
          return answerOf(asked, sent, (receipt) => Reply.readyReceipt("", receipt, creates), { body })
        },
        onFailure: (error) => endpoint({ body: Effect.fail(error) })
      })
    })

  SchemaJITCompiler.enable(PlaceOrderRequest.ast)
  const decodePlacement = Schema.decodeUnknownOption(PlaceOrderRequest, parseOptions)
  const readPlacement = (text: string): PlaceOrderRequest | undefined => {
    try {
      return Option.getOrUndefined(decodePlacement(JSON.parse(text)))
    } catch {
      return undefined
    }
  }
  const place = command(
    guarded("POST", "/orders"),
    readPlacement,
    (orders, payload, options) => orders.place(payload, options),
    true
  )

  const guardedConfirm = guarded("POST", "/orders/:id/confirm")
  const confirm = (orderId: OrderId) =>
    command(
      guardedConfirm,
      (text) => /^\s*(?:\{\s*\})?\s*$/.test(text) || undefined,
      (orders, _, options) => orders.confirm(orderId, options)
    )

  const find: Find = ({ headers, method, url }) => {
    if (!url.startsWith("/orders") || headers["if-none-match"] !== undefined) return undefined
    if (elsewhere[method === "GET" ? "query" : "command"] !== undefined) return undefined
    if (method === "GET" && isList(url)) {
      const wanted = readList(url)
      return wanted && list(wanted)
    }
    if (method === "GET") {
      const id = url.slice(ordersPath.length)
      return isOrderId(id) ? get(id) : undefined
    }
    if (method !== "POST" || headers["prefer"] !== undefined || headers["if-match"] !== undefined) return undefined
    if (url === "/orders") return place
    const id = url.slice(ordersPath.length, -confirmPath.length)
    return url.endsWith(confirmPath) && isOrderId(id) ? confirm(id) : undefined
  }
  // Another program's service may answer what does not fit the API, which only the endpoint finds out.
  return CheckedOrders.isOwn(orders) ? find : () => undefined
})

export const layer = Layer.effect(HotRoutes, make)
