/** Gives the log what one drain has decided to store, and finds out whose a keyed command is that was there already. */
import { Effect } from "effect"
import type { EventStore, Outcome } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { Judgement } from "./Judgement.ts"
import { appendsOf, lastKeyed } from "./Settlement.ts"

/** A command that was decided in time gets at least so long to be stored, in milliseconds. */
const grace = 1_000

export const make = <State, Command, Event, Rejection>(log: EventStore["Service"], streamId: StreamId) => {
  type Judgements = ReadonlyArray<Judgement<State, Command, Event, Rejection>>

  /** The keyed append that is stored with the very events decided here. Only they can tell it from a twin's. */
  const findOwn = Effect.fnUntraced(function* (judgements: Judgements, outcomes: ReadonlyArray<Outcome>) {
    const known = lastKeyed(judgements, outcomes)
    if (known === undefined) return undefined
    const [event] = yield* log.readStream(streamId, { after: known.version - 1, limit: 1 })
    return event?.eventId === known.append.entry.events.at(-1)?.eventId ? known.append : undefined
  })

  return (judgements: Judgements, now: number) => {
    const entries = appendsOf(judgements).map(({ entry }) => entry)
    const oldest = judgements.reduce((least, { envelope }) => Math.min(least, envelope.deadline), Infinity)
    return Effect.flatMap(log.append(entries, Math.max(oldest, now + grace)), (outcomes) =>
      findOwn(judgements, outcomes).pipe(
        // Then it is taken for a twin's: the answer is as right, and called a repeat.
        Effect.orElseSucceed(() => undefined),
        Effect.map((own) => ({ outcomes, own }))
      )
    )
  }
}
