/** From what the `Orders` service answers to bodies and headers. */
import { Duration, Effect } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { type CommandReceipt, readBack, type Receipt } from "../../orders/Receipt.ts"
import type { Orders } from "../../orders/Orders.ts"
import type { QueryOptions, QueryResult } from "../../orders/QueryOptions.ts"
import type { Freshness } from "../../views/ViewQuery.ts"
import type { OrderView } from "../../views/order/OrderView.ts"
import * as EntityTag from "../wire/EntityTag.ts"
import * as Preference from "../wire/Preference.ts"

const orderPath = (orderId: string): string => `/orders/${orderId}`
export const location = ({ orderId }: Receipt) => ({ location: orderPath(orderId) })
const monitorPath = (orderId: string): string => `/events?orderId=${orderId}`

const seconds = (lag: number): string => String(Math.round(lag * 1000) / 1000)

const freshness = ({ behind, lag, parked, position }: Freshness): string =>
  `position=${position}, behind=${behind}, lag=${seconds(lag)}, parked=${parked}`

export const freshnessHeaders = (answer: QueryResult) => ({
  "consistency-token": answer.token,
  freshness: freshness(answer.freshness)
})

export const viewHeaders = (answer: QueryResult & { readonly order: OrderView }) => ({
  etag: EntityTag.format(answer.order.version),
  ...freshnessHeaders(answer)
})

export const replayed = (stored: { readonly replayed: boolean }) =>
  stored.replayed ? { "idempotent-replayed": "true" as const } : {}

const receipt = (stored: Receipt) => {
  const self = orderPath(stored.orderId)
  const monitor = monitorPath(stored.orderId)
  const { commandId, events, orderId, paymentStatus, status, version } = stored
  return HttpApiSchema.withHeaders({
    body: {
      orderId,
      version,
      position: Number(stored.position),
      commandId,
      status,
      paymentStatus,
      events,
      links: { self, monitor }
    },
    headers: {
      etag: EntityTag.format(version),
      "consistency-token": stored.token,
      location: self,
      link: `<${monitor}>; rel="monitor"`,
      ...replayed(stored)
    }
  })
}

/** The receipt, or the order if the caller would wait for the view and it gets there in time. */
export const ofCommand = (
  orders: Orders["Service"],
  stored: Receipt,
  prefer: string | undefined,
  created?: { readonly location: string }
) => {
  const wait = Preference.wait(prefer)
  if (wait === undefined) return Effect.succeed(receipt(stored))
  return Effect.map(readBack(orders.get, stored, Duration.seconds(wait)), (read) => {
    if (read === undefined) return receipt(stored)
    const headers = {
      ...viewHeaders(read),
      ...replayed(stored),
      ...created,
      "preference-applied": Preference.applied(wait)
    }
    return HttpApiSchema.withHeaders({ body: read.order, headers })
  })
}

/** What a read is asked to be: at least this fresh, waiting that long. */
export const queryOptions = (headers: {
  readonly "consistency-token"?: string
  readonly prefer?: string
}): { readonly options: QueryOptions; readonly applied: { readonly "preference-applied"?: string } } => {
  const token = headers["consistency-token"]
  if (token === undefined) return { options: {}, applied: {} }
  const wait = Preference.wait(headers.prefer)
  if (wait === undefined) return { options: { token }, applied: {} }
  return {
    options: { token, wait: Duration.seconds(wait) },
    applied: { "preference-applied": Preference.applied(wait) }
  }
}

export const catalogReceipt = (stored: CommandReceipt) => ({
  version: stored.version,
  position: Number(stored.position),
  commandId: stored.commandId,
  events: stored.events
})

/** Of a product or a customer; `path` where it was created. */
export const catalogHeaders = (
  stored: CommandReceipt,
  path: string,
  { token, version }: { readonly token: string; readonly version: number } = stored
) => ({
  etag: EntityTag.format(version),
  "consistency-token": token,
  ...replayed(stored),
  ...(stored.version === 1 && stored.events.length > 0 ? { location: path } : {})
})
