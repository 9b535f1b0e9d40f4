/**
 * The answers of `Orders` that hold orders. An order is decoded when its field is read for the first time; who sends it on,
 * as the HTTP API does, asks for its text instead, and nothing is decoded or encoded.
 */
import type { OrderView } from "./OrderView.ts"
import * as StoredOrder from "./StoredOrder.ts"

/**
 * An answer keeps its stored orders under this name, which nothing lists: an answer that an embedding program has made
 * anew of it, perhaps with other orders, does not have it.
 */
const stored = Symbol("ordinal/views/order/OrderAnswer/stored")

const keep = (answer: object, orders: ReadonlyArray<StoredOrder.StoredOrder>): void => {
  Object.defineProperty(answer, stored, { value: orders })
}

/** Makes an answer with one order. */
export const one = <Rest extends object>(order: StoredOrder.StoredOrder, rest: Rest) => {
  let view: OrderView | undefined
  const answer: Rest & { readonly order: OrderView } = {
    ...rest,
    get order() {
      return (view ??= StoredOrder.decode(order))
    }
  }
  keep(answer, [order])
  return answer
}

/** Makes an answer with a page of orders. */
export const page = <Rest extends object>(orders: ReadonlyArray<StoredOrder.StoredOrder>, rest: Rest) => {
  let views: ReadonlyArray<OrderView> | undefined
  const answer: Rest & { readonly orders: ReadonlyArray<OrderView> } = {
    ...rest,
    get orders() {
      return (views ??= orders.map(StoredOrder.decode))
    }
  }
  keep(answer, orders)
  return answer
}

interface Answer {
  readonly [stored]?: ReadonlyArray<StoredOrder.StoredOrder>
}

/** Gives the orders of an answer as they are stored; `undefined` if the answer was not made here. */
export const storedIn = (answer: object): ReadonlyArray<StoredOrder.StoredOrder> | undefined =>
  (answer as Answer)[stored]
