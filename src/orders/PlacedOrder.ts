/** What comes of waiting for the view after a command. The command is stored by then: no failed read changes that. */
import { type Duration, Effect, Exit } from "effect"
import type { OrderId } from "../order/OrderId.ts"
import type { Answer, QueryOptions, Receipt } from "./Answer.ts"
import type { OrderView } from "../views/order/OrderView.ts"

/** A placed order: as the view has it, or, if the view was not there in time, the receipt. It is stored in either case. */
export type PlacedOrder = {
  readonly orderId: OrderId
  /** Consistency token: a query that is given it contains the order. */
  readonly token: string
  /** True if it had been placed before under its idempotency key. */
  readonly replayed: boolean
} & ({ readonly order: OrderView; readonly receipt?: never } | { readonly order?: never; readonly receipt: Receipt })

type Get = (orderId: OrderId, options: QueryOptions) => Effect.Effect<Answer & { readonly order: OrderView }, unknown>

/** The order with this write in it; undefined if it can't be read in time. */
export const readBack = (get: Get, { orderId, token }: Receipt, wait: Duration.Input) =>
  Effect.map(Effect.exit(get(orderId, { token, wait })), (read) => (Exit.isSuccess(read) ? read.value : undefined))

export const ofReceipt = (receipt: Receipt): PlacedOrder => {
  const { orderId, replayed, token } = receipt
  return { orderId, token, replayed, receipt }
}

export const ofOrder = (
  order: OrderView,
  { replayed, token }: Pick<PlacedOrder, "token" | "replayed">
): PlacedOrder => ({
  orderId: order.orderId,
  token,
  replayed,
  order
})
