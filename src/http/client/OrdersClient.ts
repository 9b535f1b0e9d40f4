/**
 * Provides `Orders` of another process over HTTP, so that a program moves between a local and a remote order service by
 * swapping this layer. It is derived from the API's definition: the errors are the service's own.
 *
 * A query, and a command with an idempotency key, is sent again a few times if the server can't answer now or the
 * answer was lost. Any other command is sent once; if its answer is lost, it fails with `OutcomeUnknown`. Of several
 * servers, the next one is asked if one is away, shuts down or has no such role; an unkeyed command only if that did nothing.
 *
 * **Gotchas**: the options `actor`, `causationId` and `fresh` of a command are not sent; a `wait` is in whole seconds;
 * `awaitCatalog` for one product or customer fails as `parked` while any is set aside, since lists do not say which; a
 * command without a `traceparent` of its own carries that of the current span.
 */
import { Duration, Effect, Layer, type Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import * as CheckedOrders from "../../orders/CheckedOrders.ts"
import { Orders } from "../../orders/Orders.ts"
import { VersionNotFound } from "../../orders/OrdersError.ts"
import * as Query from "../../orders/QueryOptions.ts"
import * as Subscription from "../../orders/Subscription.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { OrderFilter } from "../../views/order/OrderQueries.ts"
import { InvalidCursor } from "../../projection/view/ViewQuery.ts"
import { Api } from "../api/Api.ts"
import type { CommandHeaders } from "../api/HttpHeaders.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as Failure from "./ClientFailure.ts"
import * as Headers from "./ClientHeaders.ts"
import * as ClientRequest from "./ClientRequest.ts"
import * as Result from "./ClientResult.ts"
import * as EventStreamClient from "./EventStreamClient.ts"
import * as OlderServers from "./OlderServers.ts"
import * as Servers from "./Servers.ts"

export interface Options {
  /**
   * The server, or several on one database (`ROLE` in docs/operating.md). Commands on one order go to the same server as long
   * as it answers, whichever client sends them; a new order goes to any.
   */
  readonly baseUrl: Servers.Urls
  /** The servers that answer queries and streams, if those are others. */
  readonly queryUrl?: Servers.Urls
  /** A request that may be sent again is sent again so often; 3 times by default. */
  readonly retries?: number
  /** An answer may take so long, besides the time that the request lets the server wait for a view; 15 s by default. */
  readonly timeout?: Duration.Input
  /** A token or an API key, where the servers ask who is calling. */
  readonly token?: Redacted.Redacted
}

type OrderCall<E> = (headers: CommandHeaders) => Effect.Effect<Parameters<typeof Result.receipt>[0], E>
type CatalogCall<E> = (headers: CommandHeaders) => Effect.Effect<Parameters<typeof Result.catalogReceipt>[0], E>

/** The server takes only times with their offset. */
const filterQuery = ({ placedAfter, placedBefore, ...filter }: OrderFilter) => ({
  ...filter,
  ...(placedAfter === undefined ? {} : { placedAfter: new Date(placedAfter).toISOString() }),
  ...(placedBefore === undefined ? {} : { placedBefore: new Date(placedBefore).toISOString() })
})

const pageQuery = ({ cursor, limit }: { readonly cursor?: string; readonly limit?: number }) => {
  if (cursor !== undefined && (cursor === "" || cursor.length > 2000)) return Effect.fail(new InvalidCursor({}))
  return Effect.succeed({ limit: Query.clampListLimit(limit), ...(cursor === undefined ? {} : { cursor }) })
}

const withToken = <A, E, R>(making: Effect.Effect<A, E, R>, { token }: Options) =>
  token === undefined
    ? making
    : Effect.updateService(making, HttpClient.HttpClient, HttpClient.mapRequest(HttpClientRequest.bearerToken(token)))

/** Uses the HTTP client that is provided. */
export const make = Effect.fnUntraced(function* (settings: Options) {
  const { baseUrl, queryUrl = baseUrl, retries = 3, timeout = "15 seconds" } = settings
  const servers = { command: Servers.listOf("baseUrl", baseUrl), query: Servers.listOf("queryUrl", queryUrl) }
  const { command, query } = ClientRequest.make({
    retries,
    timeout: Duration.fromInputUnsafe(timeout),
    servers: { command: servers.command.length, query: servers.query.length }
  })
  const subscribe = yield* EventStreamClient.make({ url: servers.query })
  const client = yield* HttpApiClient.make(Api, {
    transformClient: (client) => OlderServers.understood(Servers.addressed(servers)(client)),
    transformResponse: Failure.markUnreadable
  })
  const { catalog: products, fulfilment, orderQueries, orders } = client

  const orderCommand = <E>(options: CommandOptions | undefined, call: OrderCall<E>) =>
    Effect.map(command(options, call), Result.receipt)

  const catalogCommand = <E>(options: CommandOptions | undefined, call: CatalogCall<E>) =>
    Effect.map(command(options, call), Result.catalogReceipt)

  const listProducts: Orders["Service"]["products"] = Effect.fnUntraced(function* (request = {}, options) {
    const parameters = { ...request, ...(yield* pageQuery(request)) }
    const response = yield* query(options, (headers) => products.products({ query: parameters, headers }))
    const { data, ...page } = Result.page(response)
    return { products: data, ...page }
  })

  return CheckedOrders.make({
    placeAndWait: (payload, options) => {
      const wait = Headers.wholeSeconds(options?.wait)
      const prefer = HeaderValue.preferWait(wait)
      const place = (headers: CommandHeaders) => orders.place({ headers: { ...headers, prefer }, payload })
      return Effect.map(command(options, place, wait), Result.placed)
    },
    place: (payload, options) => orderCommand(options, (headers) => orders.place({ headers, payload })),
    addLine: (id, payload, options) =>
      orderCommand(options, (headers) => orders.addLine({ params: { id }, headers, payload })),
    changeLineQuantity: (id, lineId, payload, options) =>
      orderCommand(options, (headers) => orders.changeLineQuantity({ params: { id, lineId }, headers, payload })),
    removeLine: (id, lineId, options) =>
      orderCommand(options, (headers) => orders.removeLine({ params: { id, lineId }, headers })),
    changeShippingAddress: (id, payload, options) =>
      orderCommand(options, (headers) => orders.changeShippingAddress({ params: { id }, headers, payload })),
    confirm: (id, options) => orderCommand(options, (headers) => orders.confirm({ params: { id }, headers })),
    cancel: (id, payload, options) =>
      orderCommand(options, (headers) => orders.cancel({ params: { id }, headers, payload })),
    cancelItems: (id, payload, options) =>
      orderCommand(options, (headers) => fulfilment.cancelItems({ params: { id }, headers, payload })),
    ship: (id, payload, options) =>
      orderCommand(options, (headers) => fulfilment.ship({ params: { id }, headers, payload })),
    deliver: (id, shipmentId, options) =>
      orderCommand(options, (headers) => fulfilment.deliver({ params: { id, shipmentId }, headers })),
    returnItems: (id, payload, options) =>
      orderCommand(options, (headers) => fulfilment.returnItems({ params: { id }, headers, payload })),
    authorizePayment: (id, payload, options) =>
      orderCommand(options, (headers) => fulfilment.authorizePayment({ params: { id }, headers, payload })),
    capturePayment: (id, paymentId, payload, options) =>
      orderCommand(options, (headers) => fulfilment.capturePayment({ params: { id, paymentId }, headers, payload })),
    voidPayment: (id, paymentId, options) =>
      orderCommand(options, (headers) => fulfilment.voidPayment({ params: { id, paymentId }, headers })),
    refundPayment: (id, paymentId, payload, options) =>
      orderCommand(options, (headers) => fulfilment.refundPayment({ params: { id, paymentId }, headers, payload })),

    get: Effect.fnUntraced(function* (id, options) {
      const { body, headers } = yield* query(options, (headers) => orderQueries.get({ params: { id }, headers }))
      return { order: Result.order(Result.found(body)), ...Result.queryResult(headers) }
    }),
    list: Effect.fnUntraced(function* (request = {}, options) {
      const { filter = {}, sort } = request
      const page = yield* pageQuery(request)
      const parameters = { ...filterQuery(filter), ...page, ...(sort === undefined ? {} : { sort }) }
      const response = yield* query(options, (headers) => orderQueries.list({ query: parameters, headers }))
      const { data, ...result } = Result.page(response)
      return { orders: data.map(Result.order), ...result }
    }),
    counts: Effect.fnUntraced(function* (filter = {}, options) {
      const { body, headers } = yield* query(options, (headers) => orderQueries.counts({ query: filter, headers }))
      return { counts: body, ...Result.queryResult(headers) }
    }),
    subscribe,
    events: Subscription.events(subscribe),
    history: (id, { after, limit, ...options } = {}) => {
      const part = { after: Query.clampVersion(after), limit: Query.clampHistoryLimit(limit) }
      const page = query(options, (headers) => orderQueries.events({ params: { id }, query: part, headers }))
      return Effect.map(page, ({ body }) => body.map(CloudEvent.toEvent))
    },
    // A version that no request can ask for is asked for as 0, so that a missing order is told from a missing version.
    at: (id, version, options) =>
      query(options, (headers) =>
        orderQueries.at({ params: { id, version: Query.isVersion(version) ? version : 0 }, headers })
      ).pipe(
        Effect.map(({ body }) => Result.order(body)),
        Effect.catchTag("VersionNotFound", () => VersionNotFound.of(id, version))
      ),

    saveProduct: (id, payload, options) =>
      catalogCommand(options, (headers) => products.saveProduct({ params: { id }, headers, payload })),
    withdrawProduct: (id, options) =>
      catalogCommand(options, (headers) => products.withdrawProduct({ params: { id }, headers })),
    product: (id, options) =>
      Effect.map(
        query(options, (headers) => products.product({ params: { id }, headers })),
        Result.entity
      ),
    products: listProducts,
    saveCustomer: (id, payload, options) =>
      catalogCommand(options, (headers) => products.saveCustomer({ params: { id }, headers, payload })),
    withdrawCustomer: (id, options) =>
      catalogCommand(options, (headers) => products.withdrawCustomer({ params: { id }, headers })),
    customer: (id, options) =>
      Effect.map(
        query(options, (headers) => products.customer({ params: { id }, headers })),
        Result.entity
      ),
    customers: Effect.fnUntraced(function* (request = {}, options) {
      const parameters = { ...request, ...(yield* pageQuery(request)) }
      const response = yield* query(options, (headers) => products.customers({ query: parameters, headers }))
      const { data, ...page } = Result.page(response)
      return { customers: data, ...page }
    }),
    // One list waits for all of the catalog.
    awaitCatalog: Effect.fnUntraced(function* (token, { customerId, productId, ...options } = {}) {
      const waited = listProducts({ limit: 1 }, { ...options, token })
      const { freshness } = yield* Effect.catchTag(waited, "InvalidCursor", Effect.die)
      if (freshness.parked === 0 || (productId ?? customerId) === undefined) return
      const { position } = yield* Effect.fromResult(ConsistencyToken.parse(token))
      return yield* ConsistencyToken.ProjectionBehind.parked(position, position)
    })
  })
}, withToken)

/** Uses the HTTP client that is provided: another one than `fetch`, or one with middleware. */
export const layerNoDeps = (options: Options): Layer.Layer<Orders, never, HttpClient.HttpClient> =>
  Layer.effect(Orders, make(options))

/** Uses `fetch`. */
export const layer = (options: Options): Layer.Layer<Orders> =>
  layerNoDeps(options).pipe(Layer.provide(FetchHttpClient.layer))
