/** From bodies and headers to what the order service answers: the way back of Reply.ts. */
import type { CommandReceipt, PlacedOrder, Receipt } from "../../orders/Receipt.ts"
import type { Freshness } from "../../views/ViewQuery.ts"
import type { OrderView } from "../../views/order/OrderView.ts"
import type { OrderReceipt } from "../api/Receipt.ts"

interface Stored {
  readonly "consistency-token": string
  readonly "idempotent-replayed"?: "true"
}

const isReplay = (headers: Stored): boolean => headers["idempotent-replayed"] !== undefined

const stamp = (
  body: { readonly version: number; readonly position: number; readonly commandId: string },
  headers: Stored
) => ({
  version: body.version,
  position: BigInt(body.position),
  commandId: body.commandId,
  token: headers["consistency-token"],
  replayed: isReplay(headers)
})

const neverAskedFor = () => new Error("the server sent a representation that was not asked for")

export const receipt = (answer: { readonly body: OrderReceipt | OrderView; readonly headers: Stored }): Receipt => {
  const { body, headers } = answer
  if (!("commandId" in body)) throw neverAskedFor()
  const { events, orderId, paymentStatus, status } = body
  return { orderId, status, paymentStatus, events, ...stamp(body, headers) }
}

/** Of a command that asked for the order: the receipt if the view was not there in time. */
export const placed = (answer: Parameters<typeof receipt>[0]): PlacedOrder => {
  const { body, headers } = answer
  const stored = { orderId: body.orderId, token: headers["consistency-token"], replayed: isReplay(headers) }
  return "commandId" in body ? { ...stored, receipt: receipt(answer) } : { ...stored, order: body }
}

type CatalogBody = Parameters<typeof stamp>[0] & { readonly events: ReadonlyArray<string> }

export const catalogReceipt = (answer: {
  readonly body: CatalogBody | object
  readonly headers: Partial<Stored>
}): CommandReceipt => {
  const { body, headers } = answer
  const token = headers["consistency-token"]
  if (!("commandId" in body) || token === undefined) throw neverAskedFor()
  return { events: body.events, ...stamp(body, { ...headers, "consistency-token": token }) }
}

/** The body of an answer that is never 304, since the request named no version. */
export const found = <Body extends object>(body: Body | void): Body => {
  if (body === undefined) throw neverAskedFor()
  return body
}

export const entity = <Body extends object>({
  body,
  headers
}: {
  readonly body: Body | void
  readonly headers: { readonly "consistency-token": string }
}) => ({ ...found(body), token: headers["consistency-token"] })

const freshness = (header: string): Freshness => {
  const members = new Map(
    header.split(",").map((member) => member.trim().split("=", 2) as [string, string | undefined])
  )
  const number = (name: string) => members.get(name) ?? "0"
  return {
    position: BigInt(number("position")),
    behind: Number(number("behind")),
    lag: Number(number("lag")),
    parked: Number(number("parked"))
  }
}

export const fresh = (headers: { readonly "consistency-token": string; readonly freshness: string }) => ({
  freshness: freshness(headers.freshness),
  token: headers["consistency-token"]
})

export const page = <Item>({
  body: { data, page },
  headers
}: {
  readonly body: {
    readonly data: ReadonlyArray<Item>
    readonly page: { readonly next?: string; readonly hasMore: boolean }
  }
  readonly headers: { readonly "consistency-token": string; readonly freshness: string }
}) => ({ data, ...page, ...fresh(headers) })
