/**
 * The actors in memory, in order of last use, and a report on what they are doing.
 *
 * Every step is synchronous, and only an actor without open commands is removed, with its mailbox shut down in the same
 * step. So a command can't enter a dying actor, and the actor's fiber ends when it sees the shutdown.
 */
import { DateTime, Duration, Queue } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { AggregateLimits } from "../AggregateLimits.ts"
import type { AnyActor } from "./AggregateActor.ts"

export interface ActorInfo {
  readonly streamId: StreamId
  /** The actor's state includes every event of its stream up to this version. */
  readonly version: number
  /** Commands in its mailbox. */
  readonly waiting: number
  /** Commands that have no answer yet: those in the mailbox and those being decided or stored. */
  readonly open: number
  /** ISO 8601 time of the last command. */
  readonly lastUsed: string
}

export interface ActorReport {
  /** Actors in memory. */
  readonly residents: number
  /** The number of actors that have at least one command without an answer. */
  readonly busy: number
  /** Commands in all mailboxes. */
  readonly waiting: number
  /** Commands that have no answer yet. */
  readonly inFlight: number
  /** The actors with the most open commands, the busiest first. */
  readonly busiest: ReadonlyArray<ActorInfo>
}

/** Milliseconds of both clocks at one moment. */
interface Now {
  readonly wall: number
  readonly monotonic: number
}

const infoOf = ({ lastUsed, mailbox, memory, open, streamId }: AnyActor, now: Now): ActorInfo => ({
  streamId,
  version: memory.version,
  waiting: Queue.sizeUnsafe(mailbox),
  open,
  lastUsed: DateTime.formatIso(DateTime.makeUnsafe(now.wall - (now.monotonic - lastUsed)))
})

export const make = (limits: AggregateLimits) => {
  const idleMillis = Duration.toMillis(limits.idle)
  /** An actor's place in the order of use is right to within so many milliseconds. */
  const orderedTo = Math.min(1_000, idleMillis / 2)
  /** The longest idle actor comes first. */
  const actors = new Map<StreamId, AnyActor>()

  const passivate = (actor: AnyActor) => {
    actors.delete(actor.streamId)
    Queue.shutdownUnsafe(actor.mailbox)
  }

  /** Makes room for several actors at once, since each look passes all busy actors at the front. */
  const passivateLongestIdle = () => {
    let room = Math.ceil(limits.residents / 100)
    for (const actor of actors.values()) {
      if (actor.open > 0) continue
      passivate(actor)
      if (--room === 0) return
    }
  }

  return {
    size: () => actors.size,

    find: (streamId: StreamId, now: number): AnyActor | undefined => {
      const found = actors.get(streamId)
      // Moving a key of a large Map is expensive, so a busy actor is moved only now and then.
      if (found !== undefined && now - found.movedAt >= orderedTo) {
        actors.delete(streamId)
        actors.set(streamId, found)
        found.movedAt = now
      }
      return found
    },

    add: (actor: AnyActor, now: number) => {
      if (actors.size >= limits.residents) passivateLongestIdle()
      actors.set(actor.streamId, actor)
      actor.movedAt = now
    },

    /** Forgets an actor whose fiber has ended, unless another one has taken its place. */
    ended: (actor: { readonly streamId: StreamId; readonly mailbox: unknown }) => {
      if (actors.get(actor.streamId)?.mailbox === actor.mailbox) actors.delete(actor.streamId)
    },

    passivateIdle: (now: number) => {
      for (const actor of actors.values()) {
        if (actor.lastUsed > now - idleMillis) break
        if (actor.open === 0) passivate(actor)
      }
    },

    /** Takes note of an event that another process may have appended. It spares lost races; no guarantee rests on it. */
    observe: ({ streamId, version }: Pick<RecordedEvent, "streamId" | "version">) => {
      const actor = actors.get(streamId)
      if (actor === undefined || version <= actor.memory.version) return
      if (actor.open === 0) passivate(actor)
      else actor.memory.fallBehind(version)
    },

    /** Forgets what every actor remembers, because the log was replaced: nothing of it is a state of this log. */
    forgetAll: () => {
      for (const actor of actors.values()) {
        if (actor.open === 0) passivate(actor)
        else actor.memory.spoil()
      }
    },

    /** Reports on all actors in one synchronous step; 50,000 actors take a few milliseconds. */
    report: (limit: number, now: Now): ActorReport => {
      const busy = [...actors.values()].filter(({ open }) => open > 0)
      const sumOf = (of: (actor: AnyActor) => number) => busy.reduce((sum, actor) => sum + of(actor), 0)
      return {
        residents: actors.size,
        busy: busy.length,
        waiting: sumOf(({ mailbox }) => Queue.sizeUnsafe(mailbox)),
        inFlight: sumOf(({ open }) => open),
        busiest: busy
          .toSorted((left, right) => right.open - left.open)
          .slice(0, limit)
          .map((actor) => infoOf(actor, now))
      }
    }
  }
}
