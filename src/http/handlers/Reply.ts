/**
 * Makes bodies and headers of what `Orders` answers. `RequestOptions` is the way in, and clients have the inverse of
 * both.
 */
import { Duration, Effect, Option, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiSchema } from "effect/http-api"
import type { Orders } from "../../orders/Orders.ts"
import type { QueryResult } from "../../orders/QueryOptions.ts"
import { readBack, type Receipt } from "../../orders/Receipt.ts"
import { OrderView } from "../../views/order/OrderView.ts"
import { InternalError } from "../problems/HttpError.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as OrderLinks from "./OrderLinks.ts"

/** An order that was there already is not created by the request that would have placed it. */
const location = (root: string, { events, orderId }: Receipt): { readonly location?: string } =>
  events.length === 0 ? {} : { location: OrderLinks.orderPath(root, orderId) }

export const freshnessHeaders = ({ freshness, token }: QueryResult) => ({
  "consistency-token": token,
  freshness: HeaderValue.formatFreshness(freshness)
})

export const viewHeaders = (result: QueryResult & { readonly order: OrderView }) => ({
  etag: HeaderValue.entityTag(result.order.version),
  ...freshnessHeaders(result)
})

export const replayed = (receipt: { readonly replayed: boolean }) =>
  receipt.replayed ? { "idempotent-replayed": "true" as const } : {}

const ofReceipt = (root: string, receipt: Receipt, created: { readonly location?: string }) => {
  const { commandId, events, orderId, paymentStatus, status, version } = receipt
  const self = OrderLinks.orderPath(root, orderId)
  const monitor = OrderLinks.monitorPath(root, orderId)
  const position = Number(receipt.position)
  return HttpApiSchema.withHeaders({
    body: { orderId, version, position, commandId, status, paymentStatus, events, links: { self, monitor } },
    headers: {
      etag: HeaderValue.entityTag(version),
      "consistency-token": receipt.token,
      ...created,
      link: `<${monitor}>; rel="monitor"`,
      ...replayed(receipt)
    }
  })
}

/** Judges only the shape of an order: its values were valid when they were stored, whatever the limits are today. */
const shaped = Schema.decodeUnknownOption(Schema.toType(OrderView), { disableChecks: true })

/** Fails if a row of the view can't be shown as an order, before anything else is answered in its place. */
export const fitting = <Read extends { readonly order: OrderView }>(read: Read): Effect.Effect<Read, InternalError> =>
  Option.isSome(shaped(read.order))
    ? Effect.succeed(read)
    : Effect.andThen(
        Effect.logError(`The view's row of order ${read.order.orderId} is no order; audit and repair it.`),
        new InternalError()
      )

/** The command is stored, so it is not answered with an error, whatever is wrong with the row. */
const readFitting = Effect.fnUntraced(
  function* (orders: Orders["Service"], receipt: Receipt, wait: Duration.Duration) {
    const read = yield* readBack(orders.get, receipt, wait)
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
  const created = creates ? location(root, receipt) : {}
  const wait = HeaderValue.waitOf(prefer)
  const read = wait === undefined ? undefined : yield* readFitting(orders, receipt, Duration.seconds(wait))
  if (wait === undefined || read === undefined) return ofReceipt(root, receipt, created)
  const headers = {
    ...viewHeaders(read),
    ...replayed(receipt),
    ...created,
    "preference-applied": HeaderValue.preferWait(wait)
  }
  return HttpApiSchema.withHeaders({ body: OrderLinks.toDocument(root, read.order), headers })
})

/** Links to the same query with other values for these parameters. */
export const nextLink = (
  root: string,
  request: HttpServerRequest.HttpServerRequest,
  changed: Record<string, string>
): { readonly link: string } => {
  const [path = "", query = ""] = request.url.split("?", 2)
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changed)) parameters.set(name, value)
  return { link: `<${root}${path}?${parameters}>; rel="next"` }
}

/**
 * Answers one page of a list, with a link to the next page if there is one. A list by `updatedAt` that is exhausted has
 * a cursor to go on polling from.
 */
export const ofPage = <Item>(
  root: string,
  data: ReadonlyArray<Item>,
  result: QueryResult & { readonly hasMore: boolean; readonly next?: string },
  request: HttpServerRequest.HttpServerRequest,
  applied: { readonly "preference-applied"?: string }
) => {
  const { hasMore, next } = result
  return HttpApiSchema.withHeaders({
    body: { data, page: { ...(next === undefined ? {} : { [hasMore ? "next" : "resume"]: next }), hasMore } },
    headers: {
      ...freshnessHeaders(result),
      ...(hasMore && next !== undefined ? nextLink(root, request, { cursor: next }) : {}),
      ...applied
    }
  })
}
