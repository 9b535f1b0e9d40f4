/**
 * Makes bodies and headers of what `Orders` answers. `RequestOptions` is the way in, and clients have the inverse of
 * both.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiSchema } from "effect/http-api"
import * as CheckedOrders from "../../orders/CheckedOrders.ts"
import type { Orders } from "../../orders/Orders.ts"
import type { QueryResult } from "../../orders/QueryOptions.ts"
import { readBack, type Receipt } from "../../orders/Receipt.ts"
import * as OrderAnswer from "../../views/order/OrderAnswer.ts"
import type { StoredOrder } from "../../views/order/StoredOrder.ts"
import { OrderView } from "../../views/order/OrderView.ts"
import { InternalError } from "../problems/HttpError.ts"
import type { OrderReceipt } from "../api/Receipt.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as OrderLinks from "./OrderLinks.ts"

/** An order that was there already is not created by the request that would have placed it. */
const location = (root: string, { events, orderId }: Receipt): { readonly location?: string } =>
  events.length === 0 ? {} : { location: OrderLinks.orderPath(root, orderId) }

export const freshnessHeaders = ({ freshness, token }: QueryResult) => ({
  "consistency-token": token,
  freshness: HeaderValue.formatFreshness(freshness)
})

const viewHeaders = (version: number, result: QueryResult) => ({
  etag: HeaderValue.entityTag(version),
  ...freshnessHeaders(result)
})

/** An answer whose JSON is ready; a test decodes such answers by the API's definition. */
export interface Ready {
  readonly status: number
  readonly text: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

const toResponse = ({ headers, status, text }: Ready) => {
  const options = { status, contentType: "application/json", headers }
  return typeof text === "string"
    ? HttpServerResponse.text(text, options)
    : HttpServerResponse.uint8Array(text, options)
}

type OrderResult = QueryResult & { readonly order: OrderView }

/** These come with an order besides those that every answer from the view has. */
interface OrderHeaders {
  readonly "preference-applied"?: string
  readonly "idempotent-replayed"?: "true"
  readonly location?: string
}

/** Makes the answer of the text of an order that is stored; `undefined` if an `Orders` of another program answered. */
export const readyOrder = (root: string, result: OrderResult, extra: OrderHeaders, status = 200): Ready | undefined => {
  const [stored] = OrderAnswer.storedIn(result) ?? []
  if (stored === undefined) return undefined
  const headers = { ...viewHeaders(stored.version, result), ...extra }
  return { status, text: OrderLinks.addToText(root, stored), headers }
}

/** Answers an order: as its text is stored, or, encoded, an order that an `Orders` of the embedding program made. */
const ofOrder = (root: string, result: OrderResult, extra: OrderHeaders, status: 200 | 201 = 200) => {
  const ready = readyOrder(root, result, extra, status)
  if (ready !== undefined) return toResponse(ready)
  const headers = { ...viewHeaders(result.order.version, result), ...extra }
  return HttpApiSchema.withHeaders({ body: OrderLinks.toDocument(root, result.order), headers })
}

/** Answers a read of an order; a caller who has this version already gets no body. */
export const ofRead = Effect.fnUntraced(function* (
  result: OrderResult,
  applied: Pick<OrderHeaders, "preference-applied">,
  ifNoneMatch: string | undefined
) {
  const [stored] = OrderAnswer.storedIn(result) ?? []
  const { version } = stored ?? result.order
  if (!HeaderValue.isCurrent(ifNoneMatch, version)) return ofOrder(yield* OrderLinks.root, result, applied)
  yield* fitting(result)
  return HttpApiSchema.withHeaders({ body: undefined, headers: { ...viewHeaders(version, result), ...applied } })
})

export const replayed = (receipt: { readonly replayed: boolean }) =>
  receipt.replayed ? { "idempotent-replayed": "true" as const } : {}

const receiptOf = (root: string, receipt: Receipt, creates: boolean) => {
  const { commandId, events, orderId, paymentStatus, status, version } = receipt
  const self = OrderLinks.orderPath(root, orderId)
  const monitor = OrderLinks.monitorPath(root, orderId)
  const position = Number(receipt.position)
  const body: OrderReceipt = {
    orderId,
    version,
    position,
    commandId,
    events,
    status,
    paymentStatus,
    links: { self, monitor }
  }
  const headers = {
    etag: HeaderValue.entityTag(version),
    "consistency-token": receipt.token,
    ...(creates ? location(root, receipt) : {}),
    link: `<${monitor}>; rel="monitor"`,
    ...replayed(receipt)
  }
  return { body, headers }
}

/** Makes the answer of a receipt: the JSON that the API's definition makes of it, in its order, which a test compares. */
export const readyReceipt = (root: string, receipt: Receipt, creates: boolean): Ready => {
  const { body, headers } = receiptOf(root, receipt, creates)
  return { status: 202, text: JSON.stringify(body), headers }
}

/** Answers a receipt; one that an `Orders` of the embedding program made is encoded. */
const ofReceipt = (orders: Orders["Service"], root: string, receipt: Receipt, creates: boolean) =>
  CheckedOrders.isOwn(orders)
    ? toResponse(readyReceipt(root, receipt, creates))
    : HttpApiSchema.withHeaders(receiptOf(root, receipt, creates))

/** Judges only the shape of an order: its values were valid when they were stored, whatever the limits are today. */
const shaped = Schema.decodeUnknownOption(Schema.toType(OrderView), { disableChecks: true })

/** Fails if what an embedding program gave is no order, before anything else is answered in its place. */
const fitting = <Read extends OrderResult>(read: Read): Effect.Effect<Read, InternalError> =>
  OrderAnswer.storedIn(read) !== undefined || Option.isSome(shaped(read.order))
    ? Effect.succeed(read)
    : Effect.andThen(
        Effect.logError(`The view's row of order ${read.order.orderId} is no order; audit and repair it.`),
        new InternalError()
      )

/** A read that hangs may take so long beyond the wait, so that the receipt is answered before the request's deadline. */
const readBackIn = Duration.seconds(3)

/** The command is stored, so it is not answered with an error, whatever is wrong with the row. */
const readFitting = Effect.fnUntraced(
  function* (orders: Orders["Service"], receipt: Receipt, wait: Duration.Duration) {
    const bounded = Effect.timeoutOption(readBack(orders.get, receipt, wait), Duration.sum(wait, readBackIn))
    const read = Option.getOrUndefined(yield* bounded)
    return read === undefined ? undefined : yield* fitting(read)
  },
  Effect.catchTag("InternalError", () => Effect.succeed(undefined))
)

/** Answers the receipt of a command, or the order if the caller waits for the view and the view gets there in time. */
export const ofCommand = Effect.fnUntraced(function* (
  orders: Orders["Service"],
  receipt: Receipt,
  prefer: string | undefined,
  creates: boolean
) {
  const root = yield* OrderLinks.root
  const wait = HeaderValue.waitOf(prefer)
  const read = wait === undefined ? undefined : yield* readFitting(orders, receipt, Duration.seconds(wait))
  if (wait === undefined || read === undefined) return ofReceipt(orders, root, receipt, creates)
  const created = creates ? location(root, receipt) : {}
  const extra = { ...replayed(receipt), ...created, "preference-applied": HeaderValue.preferWait(wait) }
  return ofOrder(root, read, extra, creates ? 201 : 200)
})

/** Links to the same query with other values for these parameters. */
export const nextLink = (
  root: string,
  request: Pick<HttpServerRequest.HttpServerRequest, "url">,
  changed: Record<string, string>
): { readonly link: string } => {
  const [path = "", query = ""] = request.url.split("?", 2)
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changed)) parameters.set(name, value)
  return { link: `<${root}${path}?${parameters}>; rel="next"` }
}

const pageHeaders = (
  root: string,
  result: PageResult,
  request: Pick<HttpServerRequest.HttpServerRequest, "url">,
  applied: Pick<OrderHeaders, "preference-applied">
) => ({
  ...freshnessHeaders(result),
  ...(result.hasMore && result.next !== undefined ? nextLink(root, request, { cursor: result.next }) : {}),
  ...applied
})

type PageResult = QueryResult & { readonly hasMore: boolean; readonly next?: string }

const pageOf = ({ hasMore, next }: PageResult) => ({
  ...(next === undefined ? {} : { [hasMore ? "next" : "resume"]: next }),
  hasMore
})

/**
 * Answers one page of a list, with a link to the next page if there is one. A list by `updatedAt` that is exhausted has
 * a cursor to go on polling from.
 */
export const ofPage = <Item>(
  root: string,
  data: ReadonlyArray<Item>,
  result: PageResult,
  request: HttpServerRequest.HttpServerRequest,
  applied: Pick<OrderHeaders, "preference-applied">
) =>
  HttpApiSchema.withHeaders({
    body: { data, page: pageOf(result) },
    headers: pageHeaders(root, result, request, applied)
  })

type OrdersResult = PageResult & { readonly orders: ReadonlyArray<OrderView> }

/** Bodies of pages, under the root that each was last asked for. Whoever asked for a page together shares its orders. */
const bodies = new WeakMap<ReadonlyArray<StoredOrder>, { readonly root: string; readonly text: Uint8Array }>()

const bodyOf = (root: string, orders: ReadonlyArray<StoredOrder>, page: PageResult): Uint8Array => {
  const known = bodies.get(orders)
  if (known?.root === root) return known.text
  const data = orders.map((order) => OrderLinks.addToText(root, order)).join(",")
  const text = new TextEncoder().encode(`{"data":[${data}],"page":${JSON.stringify(pageOf(page))}}`)
  bodies.set(orders, { root, text })
  return text
}

/** Makes the answer of a page of the texts of orders; `undefined` if an `Orders` of another program answered. */
export const readyOrders = (
  root: string,
  result: OrdersResult,
  request: Pick<HttpServerRequest.HttpServerRequest, "url">,
  applied: Pick<OrderHeaders, "preference-applied">
): Ready | undefined => {
  const stored = OrderAnswer.storedIn(result)
  if (stored === undefined) return undefined
  return { status: 200, text: bodyOf(root, stored, result), headers: pageHeaders(root, result, request, applied) }
}

/** Answers one page of orders, as their text is stored. */
export const ofOrders = (
  root: string,
  result: OrdersResult,
  request: HttpServerRequest.HttpServerRequest,
  applied: Pick<OrderHeaders, "preference-applied">
) => {
  const ready = readyOrders(root, result, request, applied)
  if (ready !== undefined) return toResponse(ready)
  const documents = result.orders.map((order) => OrderLinks.toDocument(root, order))
  return ofPage(root, documents, result, request, applied)
}
