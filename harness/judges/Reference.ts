/**
 * A second, small implementation of what an order is, written from the contract and not from `src`: the state that
 * events of the wire format add up to. The rules are in `ReferenceRules.ts`. Without void and refund.
 */
export interface Item {
  readonly lineId: string
  readonly quantity: number
}

export interface Line {
  readonly lineId: string
  readonly productId: string
  /** This is the request by which the line was added. */
  readonly asked: number
  readonly quantity: number
  readonly price: number
  readonly cancelled: number
  readonly shipped: number
  readonly returned: number
}

export interface Payment {
  readonly amount: number
  readonly captures: Readonly<Record<string, number>>
}

export interface State {
  readonly confirmed: boolean
  readonly cancelled: boolean
  readonly lines: ReadonlyArray<Line>
  readonly removed: ReadonlyArray<Line>
  readonly shipments: Readonly<
    Record<string, { readonly items: ReadonlyArray<Item>; readonly delivered: boolean; readonly all: boolean }>
  >
  readonly returns: Readonly<Record<string, ReadonlyArray<Item>>>
  readonly cancellations: Readonly<Record<string, ReadonlyArray<Item>>>
  readonly payments: Readonly<Record<string, Payment>>
}

export interface Event {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Its type without the version of its schema: `items-shipped`. */
export const kindOf = ({ type }: { readonly type: string }): string => type.replace(/^order\.(.*)\.v\d+$/, "$1")

export const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

export const outstanding = (line: Line): number => line.quantity - line.cancelled - line.shipped
export const total = (state: State): number =>
  sum(state.lines.map((line) => (line.quantity - line.cancelled) * line.price))

/** What the customer has to pay: what came back costs nothing. */
export const owed = (state: State): number =>
  status(state) === "cancelled"
    ? 0
    : sum(state.lines.map((line) => (line.quantity - line.cancelled - line.returned) * line.price))
export const captured = (payment: Payment): number => sum(Object.values(payment.captures))

export const allOutstanding = (state: State): ReadonlyArray<Item> =>
  state.lines.flatMap((line) => (outstanding(line) > 0 ? [{ lineId: line.lineId, quantity: outstanding(line) }] : []))

export const sameItems = (left: ReadonlyArray<Item>, right: ReadonlyArray<Item>): boolean => {
  const text = (items: ReadonlyArray<Item>) =>
    JSON.stringify(items.map((item) => `${item.lineId}=${item.quantity}`).sort())
  return text(left) === text(right)
}

export const status = (state: State): string => {
  if (state.cancelled) return "cancelled"
  if (!state.confirmed) return "placed"
  if (sum(state.lines.map((line) => line.shipped)) === 0) return "confirmed"
  if (sum(state.lines.map(outstanding)) > 0) return "partially_shipped"
  if (state.lines.every((line) => line.returned === line.shipped)) return "returned"
  return Object.values(state.shipments).every((shipment) => shipment.delivered) ? "delivered" : "shipped"
}

type Counter = "cancelled" | "shipped" | "returned"

const count = (state: State, counter: Counter, items: ReadonlyArray<Item>): ReadonlyArray<Line> =>
  state.lines.map((line) => {
    const counted = sum(items.filter((item) => item.lineId === line.lineId).map((item) => item.quantity))
    return { ...line, [counter]: line[counter] + counted }
  })

interface WireLine extends Item {
  readonly productId: string
  readonly unitPrice: number
}

const line = ({ lineId, productId, quantity, unitPrice }: WireLine): Line => ({
  lineId,
  productId,
  asked: quantity,
  quantity,
  price: unitPrice,
  cancelled: 0,
  shipped: 0,
  returned: 0
})

/** Applies an event of the wire format to a state. Fails for an event that can't follow. */
export const apply = (state: State | undefined, event: Event): State => {
  // Written by the server under test; what is missing shows up as a difference later.
  const data = event.data as unknown as {
    readonly line: WireLine
    readonly lines: ReadonlyArray<WireLine>
    readonly items: ReadonlyArray<Item>
    readonly amount: number
    readonly to: number
  } & Readonly<Record<"lineId" | "shipmentId" | "returnId" | "cancellationId" | "paymentId" | "captureId", string>>
  const kind = kindOf(event)
  if (kind === "placed") {
    if (state !== undefined) throw new Error("placed twice")
    const nothing = { removed: [], shipments: {}, returns: {}, cancellations: {}, payments: {} }
    return { confirmed: false, cancelled: false, lines: data.lines.map(line), ...nothing }
  }
  if (state === undefined) throw new Error(`${event.type} before the order was placed`)
  const { items } = data
  switch (kind) {
    case "confirmed":
      return { ...state, confirmed: true }
    case "cancelled":
      return { ...state, cancelled: true }
    case "line-added":
      return { ...state, lines: [...state.lines, line(data.line)] }
    case "line-quantity-changed":
      return {
        ...state,
        lines: state.lines.map((line) => (line.lineId === data.lineId ? { ...line, quantity: data.to } : line))
      }
    case "line-removed":
      return {
        ...state,
        lines: state.lines.filter((line) => line.lineId !== data.lineId),
        removed: [...state.removed, ...state.lines.filter((line) => line.lineId === data.lineId)]
      }
    case "items-shipped": {
      const shipment = { items, delivered: false, all: sameItems(items, allOutstanding(state)) }
      const shipments = { ...state.shipments, [data.shipmentId]: shipment }
      return { ...state, lines: count(state, "shipped", items), shipments }
    }
    case "shipment-delivered": {
      const shipment = state.shipments[data.shipmentId]
      if (shipment === undefined) throw new Error(`no shipment ${data.shipmentId}`)
      return { ...state, shipments: { ...state.shipments, [data.shipmentId]: { ...shipment, delivered: true } } }
    }
    case "items-returned":
      return {
        ...state,
        lines: count(state, "returned", items),
        returns: { ...state.returns, [data.returnId]: items }
      }
    case "items-cancelled":
      return {
        ...state,
        lines: count(state, "cancelled", items),
        cancellations: { ...state.cancellations, [data.cancellationId]: items }
      }
    case "payment-authorized":
      return {
        ...state,
        payments: { ...state.payments, [data.paymentId]: { amount: data.amount, captures: {} } }
      }
    case "payment-captured": {
      const payment = state.payments[data.paymentId]
      if (payment === undefined) throw new Error(`no payment ${data.paymentId}`)
      const captures = { ...payment.captures, [data.captureId]: data.amount }
      return { ...state, payments: { ...state.payments, [data.paymentId]: { ...payment, captures } } }
    }
    default:
      throw new Error(`an event of the unknown type ${event.type}`)
  }
}
