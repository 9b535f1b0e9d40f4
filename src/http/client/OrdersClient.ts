/**
 * `Orders` of a server, over HTTP: a program moves between an order service in its own process and a remote one by
 * swapping this layer. Derived from the API's definition, so errors are the service's own, and it loads no server code.
 *
 * A query, and a command with an idempotency key, is sent again a few times if the server can't answer now, or the answer
 * was lost. Any other command is sent once: if its answer is lost, it fails with `OutcomeUnknown`.
 *
 * **Gotchas**: `actor`, `causationId` and `fresh` of a command's options mean nothing here; a token's `wait` is in whole
 * seconds; `awaitCatalog` for one product or customer fails as `parked` while any is set aside, since lists do not say
 * which; without a `traceparent` of its own a command carries the one of the current span.
 */
import { Duration, Effect, Layer } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import * as EventStreamClient from "./EventStreamClient.ts"
import { Api } from "../api/Api.ts"
import * as Answer from "./ClientAnswer.ts"
import * as Failure from "./ClientFailure.ts"
import * as Headers from "./ClientHeaders.ts"
import { retry } from "./ClientRetry.ts"
import type { CommandHeaders } from "../handlers/CommandContext.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { Orders } from "../../orders/Orders.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Submission.ts"
import type { OrderFilter } from "../../views/order/OrderQueries.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import { InvalidCursor } from "../../views/ViewQuery.ts"
import { VersionNotFound } from "../../orders/OrdersError.ts"
import * as Subscription from "../../orders/Subscription.ts"
import {
  clampHistoryLimit,
  clampListLimit,
  clampVersion,
  isVersion,
  type QueryOptions
} from "../../orders/QueryOptions.ts"

export interface Options {
  readonly baseUrl: string | URL
  /** How often what may be sent again is; default 3, 0 = never. */
  readonly retries?: number
  /** For each answer, besides what a query is ready to wait for the view; default 15 s. */
  readonly timeout?: Duration.Input
}

/** The server wants times with their offset. */
const queryOf = ({ placedAfter, placedBefore, ...filter }: OrderFilter) => ({
  ...filter,
  ...(placedAfter === undefined ? {} : { placedAfter: new Date(placedAfter).toISOString() }),
  ...(placedBefore === undefined ? {} : { placedBefore: new Date(placedBefore).toISOString() })
})

/** Which part of a list is asked for. */
const partOf = ({ cursor, limit }: { readonly cursor?: string; readonly limit?: number }) => {
  if (cursor !== undefined && (cursor === "" || cursor.length > 2000)) return Effect.fail(new InvalidCursor())
  return Effect.succeed({ limit: clampListLimit(limit), ...(cursor === undefined ? {} : { cursor }) })
}

/** With the HTTP client that is provided. */
export const make = Effect.fnUntraced(function* (settings: Options) {
  const { baseUrl, retries = 3 } = settings
  const timeout = Duration.fromInputUnsafe(settings.timeout ?? "15 seconds")
  const subscribe = yield* EventStreamClient.make({ url: String(baseUrl).replace(/\/+$/, "") })
  const client = yield* HttpApiClient.make(Api, { baseUrl, transformResponse: Failure.markUnreadable })

  const command = Effect.fnUntraced(function* <A, E>(
    options: CommandOptions | undefined,
    call: (headers: Effect.Success<ReturnType<typeof Headers.ofCommand>>) => Effect.Effect<A, E>,
    wait = 0
  ) {
    const headers = yield* Headers.ofCommand(options)
    const once = Failure.ofCommand(call(headers)).pipe(
      Effect.timeoutOrElse({
        duration: Duration.sum(timeout, Duration.seconds(wait)),
        orElse: () => Effect.fail(new OutcomeUnknown({ retryAfter: 1 }))
      })
    )
    const traced =
      headers.traceparent === undefined ? once : Effect.provideService(once, HttpClient.TracerPropagationEnabled, false)
    return yield* retry(traced, options?.idempotencyKey === undefined ? 0 : retries)
  })

  const query = <A, E>(call: Effect.Effect<A, E>, wait = 0) =>
    Failure.ofQuery(call).pipe(
      Effect.timeoutOrElse({
        duration: Duration.sum(timeout, Duration.seconds(wait)),
        orElse: () => Effect.fail(Failure.unreachable("its answer took too long"))
      }),
      (once) => retry(once, retries)
    )

  const order = <A extends Parameters<typeof Answer.receipt>[0], E>(
    ...[options, call]: Parameters<typeof command<A, E>>
  ) => Effect.map(command(options, call), Answer.receipt)

  const catalog = <A extends Parameters<typeof Answer.catalogReceipt>[0], E>(
    ...[options, call]: Parameters<typeof command<A, E>>
  ) => Effect.map(command(options, call), Answer.catalogReceipt)

  const { catalog: products, fulfilment, orderQueries, orders } = client

  const placeAndWait: Orders["Service"]["placeAndWait"] = (payload, options) => {
    const wait = Headers.seconds(options?.wait)
    const place = (headers: CommandHeaders) =>
      orders.place({ headers: { ...headers, ...Headers.prefer(wait) }, payload })
    return Effect.map(command(options, place, wait), Answer.placed)
  }

  const get: Orders["Service"]["get"] = Effect.fnUntraced(function* (id, options: QueryOptions = {}) {
    const headers = yield* Effect.fromResult(Headers.ofQuery(options))
    const answer = yield* query(orderQueries.get({ params: { id }, headers }), Headers.waitOf(options))
    return { order: Answer.found(answer.body), ...Answer.fresh(answer.headers) }
  })

  const list: Orders["Service"]["list"] = Effect.fnUntraced(function* (wanted = {}, options = {}) {
    const { filter = {}, sort } = wanted
    const headers = yield* Effect.fromResult(Headers.ofQuery(options))
    const part = yield* partOf(wanted)
    const parameters = { ...queryOf(filter), ...part, ...(sort === undefined ? {} : { sort }) }
    const answer = yield* query(orderQueries.list({ query: parameters, headers }), Headers.waitOf(options))
    const { data: orders, ...page } = Answer.page(answer)
    return { orders, ...page }
  })

  const listProducts: Orders["Service"]["products"] = Effect.fnUntraced(function* (wanted = {}, options = {}) {
    const headers = yield* Effect.fromResult(Headers.ofQuery(options))
    const parameters = { ...wanted, ...(yield* partOf(wanted)) }
    const answer = yield* query(products.products({ query: parameters, headers }), Headers.waitOf(options))
    const { data, ...page } = Answer.page(answer)
    return { products: data, ...page }
  })

  const listCustomers: Orders["Service"]["customers"] = Effect.fnUntraced(function* (wanted = {}, options = {}) {
    const headers = yield* Effect.fromResult(Headers.ofQuery(options))
    const parameters = { ...wanted, ...(yield* partOf(wanted)) }
    const answer = yield* query(products.customers({ query: parameters, headers }), Headers.waitOf(options))
    const { data: customers, ...page } = Answer.page(answer)
    return { customers, ...page }
  })

  const counts: Orders["Service"]["counts"] = Effect.fnUntraced(function* (filter = {}, options = {}) {
    const headers = yield* Effect.fromResult(Headers.ofQuery(options))
    const answer = yield* query(orderQueries.counts({ query: filter, headers }), Headers.waitOf(options))
    return { counts: answer.body, ...Answer.fresh(answer.headers) }
  })

  return Orders.of({
    placeAndWait,
    place: (payload, options) => order(options, (headers) => orders.place({ headers, payload })),
    addLine: (id, payload, options) =>
      order(options, (headers) => orders.addLine({ params: { id }, headers, payload })),
    changeLineQuantity: (id, lineId, payload, options) =>
      order(options, (headers) => orders.changeLineQuantity({ params: { id, lineId }, headers, payload })),
    removeLine: (id, lineId, options) =>
      order(options, (headers) => orders.removeLine({ params: { id, lineId }, headers })),
    changeShippingAddress: (id, payload, options) =>
      order(options, (headers) => orders.changeShippingAddress({ params: { id }, headers, payload })),
    confirm: (id, options) => order(options, (headers) => orders.confirm({ params: { id }, headers })),
    cancel: (id, payload, options) => order(options, (headers) => orders.cancel({ params: { id }, headers, payload })),
    cancelItems: (id, payload, options) =>
      order(options, (headers) => fulfilment.cancelItems({ params: { id }, headers, payload })),
    ship: (id, payload, options) => order(options, (headers) => fulfilment.ship({ params: { id }, headers, payload })),
    deliver: (id, shipmentId, options) =>
      order(options, (headers) => fulfilment.deliver({ params: { id, shipmentId }, headers })),
    returnItems: (id, payload, options) =>
      order(options, (headers) => fulfilment.returnItems({ params: { id }, headers, payload })),
    authorizePayment: (id, payload, options) =>
      order(options, (headers) => fulfilment.authorizePayment({ params: { id }, headers, payload })),
    capturePayment: (id, paymentId, payload, options) =>
      order(options, (headers) => fulfilment.capturePayment({ params: { id, paymentId }, headers, payload })),
    voidPayment: (id, paymentId, options) =>
      order(options, (headers) => fulfilment.voidPayment({ params: { id, paymentId }, headers })),
    refundPayment: (id, paymentId, payload, options) =>
      order(options, (headers) => fulfilment.refundPayment({ params: { id, paymentId }, headers, payload })),

    get,
    list,
    counts,
    subscribe,
    events: Subscription.events(subscribe),
    history: (id, { after, limit } = {}) => {
      const part = { after: clampVersion(after), limit: clampHistoryLimit(limit) }
      const page = query(orderQueries.events({ params: { id }, query: part }))
      return Effect.map(page, ({ body }) => body.map(CloudEvent.toEvent))
    },
    // What can't be asked for is not there either, if there is such an order.
    at: (id, version) =>
      query(orderQueries.at({ params: { id, version: isVersion(version) ? version : 0 } })).pipe(
        Effect.map(({ body }) => body),
        Effect.catchTag("VersionNotFound", () => new VersionNotFound({ orderId: id, version }))
      ),

    saveProduct: (id, payload, options) =>
      catalog(options, (headers) => products.saveProduct({ params: { id }, headers, payload })),
    withdrawProduct: (id, options) =>
      catalog(options, (headers) => products.withdrawProduct({ params: { id }, headers })),
    product: Effect.fnUntraced(function* (id, options = {}) {
      const headers = yield* Effect.fromResult(Headers.ofQuery(options))
      return Answer.entity(yield* query(products.product({ params: { id }, headers })))
    }),
    products: listProducts,
    saveCustomer: (id, payload, options) =>
      catalog(options, (headers) => products.saveCustomer({ params: { id }, headers, payload })),
    withdrawCustomer: (id, options) =>
      catalog(options, (headers) => products.withdrawCustomer({ params: { id }, headers })),
    customer: Effect.fnUntraced(function* (id, options = {}) {
      const headers = yield* Effect.fromResult(Headers.ofQuery(options))
      return Answer.entity(yield* query(products.customer({ params: { id }, headers })))
    }),
    customers: listCustomers,
    // What waits is the same for all of them.
    awaitCatalog: Effect.fnUntraced(function* (token, { customerId, productId, ...options } = {}) {
      const waited = listProducts({ limit: 1 }, { ...options, token })
      const { freshness } = yield* Effect.catchTag(waited, "InvalidCursor", Effect.die)
      if (freshness.parked === 0 || (productId ?? customerId) === undefined) return
      const { position } = yield* Effect.fromResult(ConsistencyToken.parse(token))
      return yield* ConsistencyToken.ProjectionBehind.parked(position, position)
    })
  })
})

/** With the HTTP client that is provided: for another one than `fetch`, or one with other middleware. */
export const layerNoDeps = (options: Options): Layer.Layer<Orders, never, HttpClient.HttpClient> =>
  Layer.effect(Orders, make(options))

/** With `fetch`. */
export const layer = (options: Options): Layer.Layer<Orders> =>
  layerNoDeps(options).pipe(Layer.provide(FetchHttpClient.layer))
