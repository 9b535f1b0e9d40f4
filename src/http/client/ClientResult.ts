/** Turns bodies and headers of responses into what `Orders` answers: the inverse of `handlers/Reply.ts`. */
import type { QueryResult } from "../../orders/QueryOptions.ts"
import type { CommandReceipt, PlacedOrder, Receipt } from "../../orders/Receipt.ts"
import type { OrderView } from "../../views/order/OrderView.ts"
import type { OrderDocument } from "../api/OrderDocument.ts"
import type { OrderReceipt } from "../api/Receipt.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"

interface CommandResponseHeaders {
  readonly "consistency-token": string
  readonly "idempotent-replayed"?: "true"
}

interface OrderResponse {
  readonly body: OrderReceipt | OrderDocument
  readonly headers: CommandResponseHeaders
}

interface ViewResponseHeaders {
  readonly "consistency-token": string
  readonly freshness: string
}

const isReplay = (headers: CommandResponseHeaders): boolean => headers["idempotent-replayed"] !== undefined

const commandReceipt = (
  body: Pick<OrderReceipt, "version" | "position" | "commandId" | "events">,
  headers: CommandResponseHeaders
): CommandReceipt => ({
  version: body.version,
  position: BigInt(body.position),
  commandId: body.commandId,
  events: body.events,
  token: headers["consistency-token"],
  replayed: isReplay(headers)
})

const notAskedFor = () => new Error("The server sent a representation that was not asked for.")

export const receipt = ({ body, headers }: OrderResponse): Receipt => {
  if (!("commandId" in body)) throw notAskedFor()
  const { orderId, paymentStatus, status } = body
  return { orderId, status, paymentStatus, ...commandReceipt(body, headers) }
}

/** Paths of the server mean nothing to who calls `Orders`. */
export const order = (document: OrderDocument): OrderView => {
  const { actions: _, links: __, ...view } = document
  return view
}

/** The response to a command that asked for the order has the receipt if the view was not there in time. */
export const placed = ({ body, headers }: OrderResponse): PlacedOrder => {
  const common = { orderId: body.orderId, token: headers["consistency-token"], replayed: isReplay(headers) }
  return "commandId" in body ? { ...common, receipt: receipt({ body, headers }) } : { ...common, order: order(body) }
}

export const catalogReceipt = (response: {
  readonly body: Parameters<typeof commandReceipt>[0] | object
  readonly headers: CommandResponseHeaders
}): CommandReceipt => {
  if (!("commandId" in response.body)) throw notAskedFor()
  return commandReceipt(response.body, response.headers)
}

/** Returns the body of a response, which is never 304 since the request named no version. */
export const found = <Body extends object>(body: Body | undefined): Body => {
  if (body === undefined) throw notAskedFor()
  return body
}

export const queryResult = (headers: ViewResponseHeaders): QueryResult => ({
  freshness: { ...HeaderValue.parseFreshness(headers.freshness), token: headers["consistency-token"] },
  token: headers["consistency-token"]
})

export const entity = <Body extends object>(response: {
  readonly body: Body | undefined
  readonly headers: ViewResponseHeaders
}) => ({ ...found(response.body), ...queryResult(response.headers) })

export const page = <Item>(response: {
  readonly body: {
    readonly data: ReadonlyArray<Item>
    readonly page: { readonly next?: string; readonly resume?: string; readonly hasMore: boolean }
  }
  readonly headers: ViewResponseHeaders
}) => {
  const { hasMore, next, resume } = response.body.page
  const cursor = next ?? resume
  const page = { hasMore, ...(cursor === undefined ? {} : { next: cursor }) }
  return { data: response.body.data, ...page, ...queryResult(response.headers) }
}
