/**
 * Commands at a steady rate, whether or not the earlier ones were answered, as callers send who know nothing of each
 * other.
 */

export interface Pace {
  /** So many commands are sent a second. */
  readonly rate: number
  /** The load lasts at least so many seconds. */
  readonly seconds: number
  /**
   * The most open commands, 500 without it: with more, a machine that is behind would only measure how sockets are made.
   */
  readonly callers?: number
}

export interface Paced {
  /** Done, a second. */
  readonly perSecond: number
  readonly sent: number
  /** Sent more than 50 ms after they were due: the sender could not keep up, so its figures are too good. */
  readonly late: number
  /** This is the number of commands that failed, and the reason of the first. */
  readonly failed: number
  readonly failure?: string
  /** The most without an answer at one time. */
  readonly waiting: number
}

const lateMillis = 50
const moreSeconds = 180

/** Gives the reason of a failure; `fetch` keeps the real one in the cause. */
const reasonOf = (error: unknown) =>
  error instanceof Error && error.cause !== undefined ? `${error}: ${error.cause}` : String(error)

/** Goes on until `isOver` too, which is what the load is for; not for longer than three minutes more. */
export const run = async (
  { callers = 500, rate, seconds }: Pace,
  command: (index: number) => Promise<unknown>,
  isOver: () => boolean = () => true
): Promise<Paced> => {
  const least = Math.round(rate * seconds)
  const began = performance.now()
  const latest = began + (seconds + moreSeconds) * 1000
  const open = new Set<Promise<unknown>>()
  let late = 0
  let failed = 0
  let failure: string | undefined
  let waiting = 0
  let sent = 0
  while (sent < least || (performance.now() < latest && !isOver())) {
    const due = began + (sent * 1000) / rate
    const now = performance.now()
    if (now < due || open.size >= callers) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, due - now)))
      continue
    }
    if (now - due > lateMillis) late += 1
    const answer: Promise<unknown> = command(sent++)
      .catch((cause) => {
        failed += 1
        failure ??= reasonOf(cause)
      })
      .finally(() => open.delete(answer))
    open.add(answer)
    waiting = Math.max(waiting, open.size)
  }
  await Promise.all(open)
  const perSecond = Math.round(((sent - failed) / (performance.now() - began)) * 1000)
  return { sent, perSecond, late, failed, ...(failure === undefined ? {} : { failure }), waiting }
}
