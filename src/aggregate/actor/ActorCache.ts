/**
 * The actors in memory, in order of last use. Every step is synchronous: an actor is found, or it is gone.
 *
 * Invariant: only an actor with nothing open is removed, and its mailbox is shut in the same step, so a command can't
 * enter a dying actor. Its fiber ends when it sees that.
 */
import { Duration, Queue } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { AggregateLimits } from "../AggregateLimits.ts"
import type { AnyActor } from "./AggregateActor.ts"

export const make = (limits: AggregateLimits) => {
  const idleMillis = Duration.toMillis(limits.idle)
  /** How exactly `actors` is in order of last use, in milliseconds. */
  const orderedTo = Math.min(1_000, idleMillis / 2)
  /** The longest idle first. */
  const actors = new Map<StreamId, AnyActor>()

  const passivate = (actor: AnyActor) => {
    actors.delete(actor.streamId)
    Queue.shutdownUnsafe(actor.mailbox)
  }

  /** Makes room for some at once: each look passes those at the front that are busy. */
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
    values: () => actors.values(),

    find: (streamId: StreamId, now: number): AnyActor | undefined => {
      const found = actors.get(streamId)
      // To move a key of a large Map is dear, so a hot one is moved now and then only.
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

    /** It has ended by itself. */
    ended: (actor: { readonly streamId: StreamId; readonly mailbox: unknown }) => {
      if (actors.get(actor.streamId)?.mailbox === actor.mailbox) actors.delete(actor.streamId)
    },

    passivateIdle: (now: number) => {
      for (const actor of actors.values()) {
        if (actor.lastUsed > now - idleMillis) break
        if (actor.open === 0) passivate(actor)
      }
    },

    /** Another process may have moved a stream on. That spares a lost race; correctness does not rest on it. */
    observe: (event: RecordedEvent) => {
      const actor = actors.get(event.streamId)
      if (actor === undefined || event.version <= actor.memory.version) return
      if (actor.open === 0) passivate(actor)
      else actor.seen = Math.max(actor.seen, event.version)
    }
  }
}
