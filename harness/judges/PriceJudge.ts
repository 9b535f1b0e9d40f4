/**
 * Judges a recording of `PriceRaces` by the log alone: at its position, every order and every further line has the name, the
 * price, the tax and the currency that its product had there, and the customer as saved there; nothing withdrawn was sold;
 * and a refusal was right at some position between its client's sending and its answer.
 */
import { isDeepStrictEqual } from "node:util"
import type { Attempt, LoggedEvent, Recording } from "../campaigns/PriceRaces.ts"

export interface Judgement {
  readonly faults: ReadonlyArray<string>
  readonly placed: number
  readonly linesAdded: number
  /** Changes of products and customers that are in the log. */
  readonly changes: number
  /** The number of refusals by slug. */
  readonly refused: Readonly<Record<string, number>>
  /** Orders and lines of which a product or the customer changed between the sending and the commit. */
  readonly overtaken: number
}

/** What a product or customer is from one position on; undefined while it can't be ordered. */
interface Period {
  readonly from: number
  readonly details: Readonly<Record<string, unknown>> | undefined
}

const isCatalog = ({ stream }: LoggedEvent) => /^(product|customer)-/.test(stream)

const periodsOf = (events: ReadonlyArray<LoggedEvent>): ReadonlyMap<string, ReadonlyArray<Period>> => {
  const periods = new Map<string, Array<Period>>()
  for (const { data, position, stream, type } of events.filter(isCatalog)) {
    const details = type.endsWith("Withdrawn") ? undefined : data
    const known = periods.get(stream) ?? []
    known.push({ from: position, details })
    periods.set(stream, known)
  }
  return periods
}

interface Line {
  readonly productId: string
  readonly name: string
  readonly unitPrice: number
  readonly taxBps: number
}

const runningOf = (best: (one: number, other: number) => number, values: ReadonlyArray<number>) => {
  let running = values[0] ?? 0
  return values.map((value) => (running = best(running, value)))
}

/** Counts the leading values for which a test holds, given that it fails for all after the first for which it fails. */
const leading = <A>(values: ReadonlyArray<A>, holds: (value: A) => boolean): number => {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(values[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

const tell = ({ position, stream, type }: LoggedEvent) => `${stream} at ${position} (${type})`

export const judgeRecording = ({ attempts, events }: Recording): Judgement => {
  const faults: Array<string> = []
  const periods = periodsOf(events)
  const at = (stream: string, position: number) => periods.get(stream)?.findLast(({ from }) => from < position)?.details

  const judgeLine = (event: LoggedEvent, currency: unknown, { name, productId, taxBps, unitPrice }: Line) => {
    const current = at(`product-${productId}`, event.position)
    const sold = { name, unitPrice, currency, taxBps }
    if (current === undefined) faults.push(`${tell(event)}: ${productId} can't be ordered there`)
    else if (!isDeepStrictEqual({ ...sold }, { ...current }))
      faults.push(`${tell(event)}: ${JSON.stringify(sold)} was sold, and ${JSON.stringify(current)} is current`)
  }

  const currencies = new Map<string, unknown>()
  let [placed, linesAdded] = [0, 0]
  for (const event of events) {
    const { data, position, stream, type } = event
    if (type === "OrderPlaced") {
      placed += 1
      currencies.set(stream, data.currency)
      for (const line of data.lines as ReadonlyArray<Line>) judgeLine(event, data.currency, line)
      const customer = at(`customer-${String(data.customerId)}`, position)
      if (customer === undefined || !isDeepStrictEqual(data.customer, customer))
        faults.push(`${tell(event)}: its customer is ${JSON.stringify(data.customer)}, not ${JSON.stringify(customer)}`)
    }
    if (type === "LineAdded") {
      linesAdded += 1
      judgeLine(event, currencies.get(stream), data.line as Line)
    }
  }

  // What a client may have seen: no less than was told to anybody before it sent, no more than was sent before its answer.
  const told = attempts
    .flatMap(({ receipt, replied }) => (receipt === undefined ? [] : [{ replied, position: receipt.position }]))
    .toSorted((left, right) => left.replied - right.replied)
  const greatest = runningOf(
    Math.max,
    told.map(({ position }) => position)
  )
  const first = ({ sent }: Attempt) => greatest[leading(told, ({ replied }) => replied < sent) - 1] ?? 0

  const sentOf = new Map(attempts.map(({ receipt, sent }) => [receipt?.commandId, sent]))
  const backwards = events.map(({ commandId }) => sentOf.get(commandId) ?? 0).toReversed()
  const earliest = runningOf(Math.min, backwards).toReversed()
  const last = ({ replied }: Attempt) => leading(earliest, (sent) => sent <= replied)

  const streamsOf = ({ customerId, productIds }: Attempt) => [
    ...productIds.map((id) => `product-${id}`),
    ...(customerId === undefined ? [] : [`customer-${customerId}`])
  ]
  /** Everything that a stream was between two positions. */
  const between = (stream: string, from: number, to: number) => {
    const all = periods.get(stream) ?? []
    return all.filter((period, index) => period.from <= to && (all[index + 1]?.from ?? Infinity) > from)
  }
  const reasons: Readonly<Record<string, (attempt: Attempt, from: number, to: number) => boolean>> = {
    "unknown-product": ({ productIds }, from, to) =>
      productIds.some((id) => between(`product-${id}`, from, to).some(({ details }) => details === undefined)),
    "unknown-customer": ({ customerId }, from, to) =>
      between(`customer-${customerId}`, from, to).some(({ details }) => details === undefined),
    "invalid-order": ({ productIds }, from, to) =>
      productIds.some((id) => between(`product-${id}`, from, to).some(({ details }) => details?.currency === "USD"))
  }

  const refused: Record<string, number> = {}
  let overtaken = 0
  for (const attempt of attempts) {
    const { kind, receipt, slug, status } = attempt
    if (receipt !== undefined) {
      const stored = receipt.position
      const changed = streamsOf(attempt).some((stream) => between(stream, first(attempt), stored).length > 1)
      if ((kind === "place" || kind === "addLine") && changed) overtaken += 1
      continue
    }
    refused[slug] = (refused[slug] ?? 0) + 1
    if (reasons[slug]?.(attempt, first(attempt), last(attempt)) !== true)
      faults.push(`${kind} of ${streamsOf(attempt).join(", ")}: answered ${status} ${slug}, which was never right`)
  }
  const accepted = attempts.filter(({ kind, receipt }) => kind === "place" && receipt !== undefined).length
  if (accepted !== placed) faults.push(`${accepted} orders were accepted, and ${placed} are in the log`)
  return { faults, placed, linesAdded, changes: events.filter(isCatalog).length, refused, overtaken }
}
