/** From bodies and headers to what the order service answers: the way back of Reply.ts. */
import type { CatalogReceipt, Receipt } from "../Orders.ts"
import type { Freshness } from "../readmodel/OrderQueries.ts"
import type { OrderView } from "../readmodel/OrderView.ts"
import type { OrderReceipt } from "./Receipt.ts"

interface Stored {
  readonly "consistency-token": string
  readonly "idempotent-replayed"?: "true"
}

const stamp = (
  body: { readonly version: number; readonly position: number; readonly commandId: string },
  headers: Stored
) => ({
  version: body.version,
  position: BigInt(body.position),
  commandId: body.commandId,
  token: headers["consistency-token"],
  replayed: headers["idempotent-replayed"] !== undefined
})

const neverAskedFor = () => new Error("the server sent a representation that was not asked for")

export const receipt = (answer: { readonly body: OrderReceipt | OrderView; readonly headers: Stored }): Receipt => {
  const { body, headers } = answer
  if (!("commandId" in body)) throw neverAskedFor()
  const { events, orderId, paymentStatus, status } = body
  return { orderId, status, paymentStatus, events, ...stamp(body, headers) }
}

type CatalogBody = Parameters<typeof stamp>[0] & { readonly events: ReadonlyArray<string> }

export const catalogReceipt = (answer: {
  readonly body: CatalogBody | object
  readonly headers: Partial<Stored>
}): CatalogReceipt => {
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

export const freshness = (header: string): Freshness => {
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

export const page = <Item>({
  body: { data, page },
  headers
}: {
  readonly body: {
    readonly data: ReadonlyArray<Item>
    readonly page: { readonly next?: string; readonly hasMore: boolean }
  }
  readonly headers: { readonly "consistency-token": string; readonly freshness: string }
}) => ({ data, ...page, freshness: freshness(headers.freshness), token: headers["consistency-token"] })
