/**
 * The money of an order, from its events as the log has them and from the rules on paper alone, in decimal fractions
 * whose digits are rounded as one does by hand. Nothing of `src` is used.
 */

interface Line {
  readonly lineId: string
  readonly unitPrice: number
  readonly unitDiscount: number
  readonly taxBps: number
  readonly quantity: number
  readonly cancelled: number
  readonly returned: number
}

interface Item {
  readonly lineId: string
  readonly quantity: number
}

interface Payment {
  readonly authorized: bigint
  readonly captured: bigint
  readonly voided: boolean
}

/** This is an event of the log: its type and its data. */
export interface Event {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

interface Book {
  lines: ReadonlyArray<Line>
  shipping: bigint
  isCancelled: boolean
  /** What came back, return by return. */
  back: Array<ReadonlyArray<Item>>
  readonly payments: Map<string, Payment>
  refunded: bigint
  goodwill: bigint
}

/** Rounds a decimal number of four fractional digits, half to even, by its digits. */
const rounded = (digits: string): bigint => {
  const padded = digits.padStart(5, "0")
  const [whole, fraction] = [padded.slice(0, -4), padded.slice(-4)]
  const isOdd = "13579".includes(whole.at(-1)!)
  const isUp = fraction > "5000" || (fraction === "5000" && isOdd)
  return BigInt(whole) + (isUp ? 1n : 0n)
}

/** Gives the price of so many pieces of a line, tax included. */
const priceOf = (line: Line, pieces: number): bigint => {
  const net = BigInt(pieces) * (BigInt(line.unitPrice) - BigInt(line.unitDiscount))
  return net + rounded(String(net * BigInt(line.taxBps)))
}

const sumOf = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, amount) => sum + amount, 0n)

const add = (lines: ReadonlyArray<Line>, items: ReadonlyArray<Item>, counter: "cancelled" | "returned") =>
  lines.map((line) => {
    const more = items.filter(({ lineId }) => lineId === line.lineId).reduce((sum, { quantity }) => sum + quantity, 0)
    return { ...line, [counter]: line[counter] + more }
  })

const whole = (line: Line): Line => ({ ...line, cancelled: 0, returned: 0 })

/** Enters an event of the wire format; `data` is checked by nobody, since a wrong one shows as a difference. */
const enter = (book: Book, { data, type }: Event): void => {
  const {
    amount = 0,
    items = [],
    paymentId = ""
  } = data as {
    readonly amount?: number
    readonly items?: ReadonlyArray<Item>
    readonly paymentId?: string
  }
  const known = book.payments.get(paymentId)
  const pay = (change: Partial<Payment>) => {
    const untouched = { authorized: 0n, captured: 0n, voided: false }
    book.payments.set(paymentId, { ...untouched, ...known, ...change })
  }
  switch (type) {
    case "OrderPlaced":
      book.lines = (data["lines"] as ReadonlyArray<Line>).map(whole)
      book.shipping = BigInt(data["shippingCost"] as number)
      return
    case "LineAdded":
      book.lines = [...book.lines, whole(data["line"] as Line)]
      return
    case "LineQuantityChanged":
      book.lines = book.lines.map((line) =>
        line.lineId === data["lineId"] ? { ...line, quantity: data["to"] as number } : line
      )
      return
    case "LineRemoved":
      book.lines = book.lines.filter(({ lineId }) => lineId !== data["lineId"])
      return
    case "ItemsCancelled":
      book.lines = add(book.lines, items, "cancelled")
      return
    case "ItemsReturned":
      book.lines = add(book.lines, items, "returned")
      book.back.push(items)
      return
    case "OrderCancelled":
      book.isCancelled = true
      return
    case "PaymentAuthorized":
      return pay({ authorized: BigInt(amount) })
    case "PaymentCaptured":
      return pay({ captured: (known?.captured ?? 0n) + BigInt(amount) })
    case "PaymentVoided":
      return pay({ voided: true })
    case "PaymentRefunded":
      book.refunded += BigInt(amount)
      if (data["goodwill"] === true) book.goodwill += BigInt(amount)
  }
}

export interface Money {
  readonly total: bigint
  readonly returned: bigint
  readonly owed: bigint
  readonly balanceDue: bigint
  readonly isPaid: boolean
  /** What may still be authorized. */
  readonly chargeable: bigint
  /** What is missing before a shipment, by what the order asks for. */
  readonly missing: { readonly confirmed: bigint; readonly authorized: bigint; readonly captured: bigint }
}

const positive = (amount: bigint): bigint => (amount > 0n ? amount : 0n)
const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right)
const greater = (left: bigint, right: bigint): bigint => (left > right ? left : right)

export const moneyOf = (events: ReadonlyArray<Event>): Money => {
  const book: Book = {
    lines: [],
    shipping: 0n,
    isCancelled: false,
    back: [],
    payments: new Map(),
    refunded: 0n,
    goodwill: 0n
  }
  for (const event of events) enter(book, event)
  const { back, goodwill, isCancelled, lines, refunded, shipping } = book
  const total = shipping + sumOf(lines.map((line) => priceOf(line, line.quantity - line.cancelled)))
  const kept = shipping + sumOf(lines.map((line) => priceOf(line, line.quantity - line.cancelled - line.returned)))
  const owed = isCancelled ? 0n : kept
  const returned = isCancelled ? 0n : total - kept

  const payments = [...book.payments.values()]
  const captured = sumOf(payments.map((payment) => payment.captured))
  const open = sumOf(payments.map((payment) => (payment.voided ? 0n : payment.authorized - payment.captured)))
  const held = captured - refunded
  const isFree = total === 0n && !isCancelled

  // Goods that came back were given their own rounded price, return by return or all at once.
  const byReturn = sumOf(
    back.flat().map(({ lineId, quantity }) =>
      priceOf(
        lines.find((line) => line.lineId === lineId)!,
        quantity
      )
    )
  )
  const atOnce = sumOf(lines.map((line) => priceOf(line, line.returned)))
  const rounding = smaller(refunded - goodwill, positive(greater(byReturn, atOnce) - returned))
  const counted = held + goodwill + rounding
  return {
    total,
    returned,
    owed,
    balanceDue: owed - held,
    isPaid: refunded === 0n && (captured > 0n ? held >= owed : isFree),
    chargeable: positive(owed - held - open),
    missing: { confirmed: 0n, authorized: positive(owed - open - counted), captured: positive(owed - counted) }
  }
}
