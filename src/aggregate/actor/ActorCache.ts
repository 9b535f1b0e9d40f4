/**
 * The actors in memory, in order of last use, and a report on what they are doing.
 *
 * Every step is synchronous, and only an actor without open commands is removed, so a command can't enter an actor that is
 * gone. Actors are bounded by their number and by their weight, an estimate of the memory that they take.
 */
import { getHeapStatistics } from "node:v8"
import { DateTime, Duration } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { AggregateLimits } from "../AggregateLimits.ts"
import type { AnyActor } from "./AggregateActor.ts"
import { sizeOf } from "./StateSize.ts"

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
  /** An estimate of the memory that they take. */
  readonly residentBytes: number
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

const waiting = ({ mailbox }: AnyActor): number => mailbox?.waiting.length ?? 0

const infoOf = (actor: AnyActor, now: Now): ActorInfo => ({
  streamId: actor.memory.streamId,
  version: actor.memory.version,
  waiting: waiting(actor),
  open: actor.open,
  lastUsed: DateTime.formatIso(DateTime.makeUnsafe(now.wall - (now.monotonic - actor.lastUsed)))
})

/** The bytes of an actor without its state: its records, its ids, and its place in the order of use. */
const actorBytes = 768

/**
 * Actors take at most an eighth of the heap, whatever the limit says. V8 counts 192 MiB of young objects into a heap's limit,
 * so of a small heap's old space this is about a quarter, and the rest of the program needs the rest.
 */
const heapShare = 1 / 8

export const make = (limits: AggregateLimits) => {
  const maxBytes = Math.min(limits.residentBytes, getHeapStatistics().heap_size_limit * heapShare)
  const idleMillis = Duration.toMillis(limits.idle)
  /** An actor's place in the order of use is right to within so many milliseconds. */
  const orderedTo = Math.min(1_000, idleMillis / 2)
  /** The longest idle actor comes first. */
  const actors = new Map<StreamId, AnyActor>()

  let bytes = 0

  const remove = (actor: AnyActor) => {
    actors.delete(actor.memory.streamId)
    bytes -= actor.weight
  }

  /** Makes room for several actors at once, since each look passes all busy actors at the front. */
  const passivateLongestIdle = () => {
    for (const actor of actors.values()) {
      if (actors.size <= limits.residents * 0.99 && bytes <= maxBytes * 0.99) return
      if (actor.open === 0) remove(actor)
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
      actors.set(actor.memory.streamId, actor)
      actor.movedAt = now
      actor.weight = actorBytes
      bytes += actorBytes
    },

    /**
     * Weighs an actor that is idle again, unless its stream has grown by less than half since the last time: so the weight of
     * a state that grows with its events is right to within a half, and the weighing costs little for each event.
     */
    rested: (actor: AnyActor) => {
      const { state, streamId, version } = actor.memory
      if (version < actor.weighAt || actors.get(streamId) !== actor) return
      actor.weighAt = version + Math.ceil(version / 2)
      const weight = actorBytes + sizeOf(state)
      bytes += weight - actor.weight
      actor.weight = weight
      if (bytes > maxBytes) passivateLongestIdle()
    },

    /** Forgets an actor that has failed, unless another one has taken its place. */
    failed: (actor: AnyActor) => {
      if (actors.get(actor.memory.streamId) === actor) remove(actor)
    },

    passivateIdle: (now: number) => {
      for (const actor of actors.values()) {
        if (actor.lastUsed > now - idleMillis) break
        if (actor.open === 0) remove(actor)
      }
    },

    /** Takes note of an event that another process may have appended. It spares lost races; no guarantee rests on it. */
    observe: ({ streamId, version }: Pick<RecordedEvent, "streamId" | "version">) => {
      const actor = actors.get(streamId)
      if (actor === undefined || version <= actor.memory.version) return
      if (actor.open === 0) remove(actor)
      else actor.memory.fallBehind(version)
    },

    /** Forgets what every actor remembers, because the log was replaced: nothing of it is a state of this log. */
    forgetAll: () => {
      for (const actor of actors.values()) {
        if (actor.open === 0) remove(actor)
        else actor.memory.spoil()
      }
    },

    /** Reports on all actors in one synchronous step; 50,000 actors take a few milliseconds. */
    report: (limit: number, now: Now): ActorReport => {
      const busy = [...actors.values()].filter(({ open }) => open > 0)
      const sumOf = (of: (actor: AnyActor) => number) => busy.reduce((sum, actor) => sum + of(actor), 0)
      return {
        residents: actors.size,
        residentBytes: bytes,
        busy: busy.length,
        waiting: sumOf(waiting),
        inFlight: sumOf(({ open }) => open),
        busiest: busy
          .toSorted((left, right) => right.open - left.open)
          .slice(0, limit)
          .map((actor) => infoOf(actor, now))
      }
    }
  }
}
