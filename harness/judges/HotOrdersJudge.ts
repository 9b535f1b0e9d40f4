/**
 * Judges a recording of `HotOrders` with the second implementation of the rules: nothing acknowledged is missing or
 * there twice, everything in the log was asked for and follows from the state before it, and every refusal was right at
 * some version that the order had between the caller's sending and its reply.
 */
import { isDeepStrictEqual } from "node:util"
import type { CloudEvent } from "../clients/HttpClient.ts"
import type { Attempt, Recording } from "../campaigns/HotOrders.ts"
import type { Operation } from "../clients/Operation.ts"
import { apply, type State, status } from "./Reference.ts"
import { isSame, judge, type Verdict } from "./ReferenceRules.ts"

export interface Judgement {
  readonly faults: ReadonlyArray<string>
  readonly accepted: number
  readonly unchanged: number
  /** So many refusals had each slug. */
  readonly refused: Readonly<Record<string, number>>
  /** So many refusals are not explained by the state known at sending: another client's command was in between. */
  readonly overtaken: number
}

const say = ({ operation, order }: Attempt) => `${order} ${JSON.stringify(operation)}`
const storing = (attempt: Attempt) => (attempt.receipt?.events.length ?? 0) > 0

/** Answers for any time the greatest number that had been told by then. */
const greatestBy = (told: ReadonlyArray<{ readonly at: number; readonly value: number }>) => {
  const sorted = told.toSorted((left, right) => left.at - right.at)
  let greatest = 0
  const steps = sorted.map(({ at, value }) => ({ at, value: (greatest = Math.max(greatest, value)) }))
  return (at: number): number => {
    let [low, high] = [0, steps.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (steps[middle]!.at < at) low = middle + 1
      else high = middle
    }
    return steps[low - 1]?.value ?? 0
  }
}

/**
 * Gives an order's states by version, from its history; an event that can't follow the ones before it changes nothing.
 */
const replay = (events: ReadonlyArray<CloudEvent>, faults: Array<string>): ReadonlyArray<State | undefined> => {
  const states: Array<State | undefined> = [undefined]
  for (const event of events) {
    let next = states.at(-1)
    try {
      next = apply(next, event)
    } catch (error) {
      faults.push(`${event.subject}: ${event.type} ${event.id} does not follow: ${String(error)}`)
    }
    states.push(next)
  }
  return states
}

const statusOf: Readonly<Record<string, number>> = {
  "order-not-found": 404,
  "line-not-found": 404,
  "shipment-not-found": 404,
  "payment-not-found": 404
}

const judgeOrder = (attempts: ReadonlyArray<Attempt>, events: ReadonlyArray<CloudEvent>) => {
  const faults: Array<string> = []
  const states = replay(events, faults)
  const stored = new Map(attempts.filter(storing).map((attempt) => [attempt.receipt?.commandId ?? "", attempt]))
  const placed: Operation | undefined = stored.get(events[0]?.causationid ?? "")?.operation
  const verdict = (attempt: Attempt, version: number): Verdict => judge(attempt.operation, states[version], placed)

  events.forEach((event, index) => {
    if (event.streamversion !== index + 1)
      faults.push(`${event.subject}: version ${event.streamversion} at ${index + 1}`)
    if (!stored.has(event.causationid)) faults.push(`${event.subject}: nobody was told of ${event.type} ${event.id}`)
  })
  const known = greatestBy(
    attempts.flatMap(({ receipt, replied }) => (receipt === undefined ? [] : [{ at: replied, value: receipt.version }]))
  )
  const sentOf = events.map((event) => stored.get(event.causationid)?.sent ?? 0)
  const possible = (at: number): number => {
    const first = sentOf.findIndex((sent) => sent >= at)
    return first === -1 ? events.length : first
  }

  let overtaken = 0
  for (const attempt of attempts) {
    const { receipt } = attempt
    const [from, to] = [known(attempt.sent), possible(attempt.replied)]
    if (receipt === undefined) {
      const agrees = (version: number) => {
        const expected = verdict(attempt, version)
        return "slug" in expected && expected.slug === attempt.slug
      }
      let version = from
      while (version <= to && !agrees(version)) version += 1
      if (version > to) faults.push(`${say(attempt)}: wrongly refused as ${attempt.slug} at versions ${from} to ${to}`)
      if (version > from) overtaken += 1
      if (attempt.status !== (statusOf[attempt.slug] ?? 409))
        faults.push(`${attempt.slug} has status ${attempt.status}`)
      continue
    }
    const before = receipt.version - receipt.events.length
    if (before < from || receipt.version > to) {
      faults.push(`${say(attempt)}: version ${receipt.version}, sent at ${from}, answered when ${to} was possible`)
    }
    const mine = events.filter((event) => event.causationid === receipt.commandId)
    const asTold = events.slice(before, receipt.version)
    if (receipt.events.length > 0 && !isDeepStrictEqual(mine, asTold)) {
      faults.push(`${say(attempt)}: told of versions ${before + 1} to ${receipt.version}, which are not its own alone`)
    }
    if (asTold.length > 0 && Number(asTold.at(-1)!.sequence) !== receipt.position) {
      faults.push(`${say(attempt)}: told of position ${receipt.position}, stored at ${asTold.at(-1)!.sequence}`)
    }
    const expected = verdict(attempt, before)
    const agrees =
      "events" in expected &&
      expected.events.length === receipt.events.length &&
      expected.events.every(
        (event, index) => isSame(event, asTold[index]!) && asTold[index]!.type === receipt.events[index]
      )
    if (!agrees) faults.push(`${say(attempt)}: at version ${before} the answer should be ${JSON.stringify(expected)}`)
  }
  const last = states.at(-1)
  return { faults, overtaken, status: last === undefined ? undefined : status(last) }
}

export const judgeRecording = ({ attempts, histories, statuses }: Recording): Judgement => {
  const faults: Array<string> = []
  const refused: Record<string, number> = {}
  let overtaken = 0
  for (const attempt of attempts) {
    if (attempt.status === 202) continue
    refused[attempt.slug] = (refused[attempt.slug] ?? 0) + 1
    if (![404, 409, 422].includes(attempt.status) || attempt.slug === "concurrency-conflict") {
      faults.push(`${say(attempt)}: answered ${attempt.status} ${attempt.slug}`)
    }
  }
  for (const other of histories.slice(1)) {
    if (!isDeepStrictEqual(other, histories[0])) faults.push("the servers tell different histories")
  }
  const latest = greatestBy(
    attempts.filter(storing).map(({ receipt, replied }) => ({ at: replied, value: receipt?.position ?? 0 }))
  )
  for (const attempt of attempts.filter(storing)) {
    const first = (attempt.receipt?.position ?? 0) - (attempt.receipt?.events.length ?? 0) + 1
    if (first <= latest(attempt.sent)) faults.push(`${say(attempt)}: stored before what was known when it was sent`)
  }
  const judged = attempts.filter(({ status }) => [202, 404, 409, 422].includes(status))
  for (const [order, own] of Map.groupBy(judged, (attempt) => attempt.order)) {
    const result = judgeOrder(own, histories[0]?.get(order) ?? [])
    faults.push(...result.faults)
    overtaken += result.overtaken
    for (const view of statuses) {
      if (view.get(order) !== result.status)
        faults.push(`${order} is listed as ${view.get(order)}, it is ${result.status}`)
    }
  }
  const accepted = attempts.filter(storing).length
  const unchanged = attempts.filter((attempt) => attempt.status === 202).length - accepted
  return { faults, accepted, unchanged, refused, overtaken }
}
