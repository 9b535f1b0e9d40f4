/**
 * Counts the requests of one kind that are being answered, measures how fast they are, and says when no more fit.
 *
 * Requests whose caller has not sent all, and answers that are complete, take no room, however slowly they are sent or taken.
 */
import type { ServerResponse } from "node:http"

/** Before anything was measured, this is what a server answers in a millisecond. */
const firstRate = 2

/** The requests of one kind. */
export interface Lane {
  /** So many are let in whatever the rate is. */
  readonly fewest: number
  /** Those that were let in and are not answered, as far as is known: some may have been answered since the last look. */
  readonly open: Set<ServerResponse>
  /** So many of them wait for their caller to send the rest, as of the last look. Nobody else waits for these. */
  unsent: number
  lookedAt: number
  answered: number
  /** Answers in a millisecond, as of the last times when there was a queue. */
  rate: number
  wasBusy: boolean
  /** So many were refused since the last measurement. */
  refused: number
  /** Takes a response out of the lane; it finds the response in `this`, as a closure for each would cost a microsecond. */
  readonly onClose: (this: ServerResponse) => void
}

/** Requests that a limit refused or their caller gave up do not tell how many can be answered. */
const isWork = (response: ServerResponse): boolean =>
  response.writableEnded && response.statusCode !== 429 && response.statusCode !== 401

const end = (lane: Lane, response: ServerResponse): void => {
  if (lane.open.delete(response) && isWork(response)) lane.answered += 1
}

export const makeLane = (fewest: number): Lane => {
  const lane: Lane = {
    fewest,
    open: new Set(),
    unsent: 0,
    lookedAt: 0,
    answered: 0,
    rate: firstRate,
    wasBusy: false,
    refused: 0,
    onClose() {
      end(lane, this)
    }
  }
  return lane
}

/**
 * An answer that its caller does not take is an answer: whoever reads slowly takes nobody's room. Node does not always say
 * that a response is closed which waits behind another one of its connection, so a connection that is gone is looked for.
 */
const look = (lane: Lane, now: number): void => {
  lane.unsent = 0
  lane.lookedAt = now
  for (const response of lane.open) {
    const { complete, socket } = response.req
    if (response.writableEnded || socket.destroyed) end(lane, response)
    else if (!complete) lane.unsent += 1
  }
}

const waitingIn = ({ open, unsent }: Lane): number => open.size - unsent

/** A look takes as long as there are requests, so there are not too many of them. */
const lookAtMostEvery = 10

export const isFull = (lane: Lane, target: number): boolean => {
  const limit = Math.max(lane.fewest, lane.rate * target)
  if (waitingIn(lane) < limit) return false
  const now = performance.now()
  if (now - lane.lookedAt >= lookAtMostEvery) look(lane, now)
  return waitingIn(lane) >= limit
}

/** Without a queue, before and after, the answers say how many came, and not how many could be answered. */
export const rateAfter = (rate: number, answered: number, millis: number, wasQueued: boolean): number =>
  wasQueued ? 0.7 * rate + 0.3 * (answered / millis) : rate

export const measure = (lane: Lane, now: number, millis: number): void => {
  look(lane, now)
  // Many are answered at once by one commit, so that few may be left just where others were refused.
  const isBusy = lane.refused > 0 || waitingIn(lane) >= lane.fewest
  lane.rate = rateAfter(lane.rate, lane.answered, millis, isBusy && lane.wasBusy)
  lane.wasBusy = isBusy
  lane.answered = 0
}
