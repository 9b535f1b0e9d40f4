/**
 * An order as queries answer it: the JSON text of its view, which the projection has made, and which goes to the caller as
 * it is. It is decoded only for whoever asks for its fields.
 *
 * The text holds all that depends on the order alone. Orders from before orders kept their `shipRequires` have none, since
 * what is `allowed` depends on the log's policy too: theirs is made from the state whenever they are read.
 */
import type { Order } from "../../order/OrderState.ts"
import type { OrderPolicies } from "../../order/OrderPolicies.ts"
import * as OrderView from "./OrderView.ts"

export interface StoredOrder {
  readonly orderId: string
  readonly version: number
  /** This is an `OrderView` as JSON. */
  readonly text: string
  /** The text ends with the member `allowed`, a list; these are the names of commands in its brackets, as JSON. */
  readonly allowed: string
}

/** Makes the text that is kept of an order; `undefined` if it depends on more than the order. */
export const textOf = (
  order: Order,
  updatedAt: string,
  view: OrderView.OrderView = OrderView.fromState(order, updatedAt)
): string | undefined => (order.shipRequires === undefined ? undefined : JSON.stringify(view))

export const ofView = (view: OrderView.OrderView): StoredOrder => {
  const { allowed, orderId, version } = view
  return { orderId, version, text: JSON.stringify(view), allowed: JSON.stringify(allowed).slice(1, -1) }
}

export const fromState = (order: Order, updatedAt: string, policies: OrderPolicies): StoredOrder =>
  ofView(OrderView.fromState(order, updatedAt, policies))

/** A row of the view: `state` and `updatedAt` are there only where there is no text. */
export interface Row {
  readonly orderId: string
  readonly version: number
  readonly text: string | null
  readonly state: unknown
  readonly updatedAt: Date | null
}

const allowedKey = '"allowed":['
const names = /^(?:"\w+"(?:,"\w+")*)?$/

/**
 * Makes the order of a row; `undefined` if somebody changed the row so that it is none. Only the beginning and the end of
 * the text are looked at: the audit compares all of it.
 */
export const fromRow = (row: Row, policies: OrderPolicies): StoredOrder | undefined => {
  const { orderId, state, text, updatedAt, version } = row
  if (text === null) {
    const view = updatedAt === null ? undefined : OrderView.fromRow(state, updatedAt.toISOString(), policies)
    return view && ofView(view)
  }
  const start = text.lastIndexOf(allowedKey)
  const allowed = text.slice(start + allowedKey.length, -2)
  const isBegun = text.startsWith(`{"orderId":"${orderId}","version":${version},`)
  return isBegun && start > 0 && text.endsWith("]}") && names.test(allowed)
    ? { orderId, version, text, allowed }
    : undefined
}

/** Reads the fields of an order. Its values were valid when they were stored, so nothing is checked. */
export const decode = ({ text }: StoredOrder): OrderView.OrderView => JSON.parse(text)
