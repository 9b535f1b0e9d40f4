/** What the actors of this process are doing, for whoever operates it. */
import { DateTime, Queue } from "effect"
import type { StreamId } from "../../eventstore/StreamId.ts"

export interface ActorInfo {
  readonly streamId: StreamId
  /** Version of the stream that it has in memory. */
  readonly version: number
  /** Commands in its mailbox. */
  readonly waiting: number
  /** Those and the ones it is at work on. */
  readonly open: number
  /** ISO 8601: when the last command came. */
  readonly lastUsed: string
}

export interface ActorReport {
  /** Actors in memory. */
  readonly residents: number
  /** Those that have something to do. */
  readonly busy: number
  /** Commands in all mailboxes. */
  readonly waiting: number
  /** Commands that have no answer yet. */
  readonly inFlight: number
  /** Those with most to do, the busiest first. */
  readonly busiest: ReadonlyArray<ActorInfo>
}

/** What is asked of an actor; all of it is at hand. */
interface Actor {
  readonly streamId: StreamId
  readonly mailbox: Queue.Dequeue<unknown>
  readonly open: number
  readonly lastUsed: number
  readonly memory: { readonly version: number }
}

/** In one go, however many there are: 50,000 take a few milliseconds. */
export const make = (actors: Iterable<Actor>, most: number): ActorReport => {
  let [residents, waiting, inFlight] = [0, 0, 0]
  const busy: Array<Actor> = []
  for (const actor of actors) {
    residents += 1
    if (actor.open === 0) continue
    busy.push(actor)
    inFlight += actor.open
    waiting += Queue.sizeUnsafe(actor.mailbox)
  }
  const busiest = busy.toSorted((left, right) => right.open - left.open).slice(0, most)
  return {
    residents,
    busy: busy.length,
    waiting,
    inFlight,
    busiest: busiest.map(({ lastUsed, mailbox, memory, open, streamId }) => ({
      streamId,
      version: memory.version,
      waiting: Queue.sizeUnsafe(mailbox),
      open,
      lastUsed: DateTime.formatIso(DateTime.makeUnsafe(lastUsed))
    }))
  }
}
