/**
 * Tells the readers of the log that it has grown: hands them this process's own events at once, and between processes
 * sends hints by NOTIFY on PostgreSQL.
 *
 * Hints are coalesced and sent apart from appends, because a NOTIFY in a commit takes a global lock. A hint may be lost
 * or come twice, so readers poll as well.
 */
import { Array as Arr, Effect, Option, PubSub, Queue, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import type { Database } from "../../database/Database.ts"
import { schemaOf } from "../../database/SchemaName.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { supervise, superviseReporting } from "../../supervision/Supervisor.ts"
import type { EncodedEntry } from "../append/AppendStatement.ts"
import type { Outcome } from "../EventStore.ts"
import * as AppendedEvents from "./AppendedEvents.ts"

const notifyInterval = "10 millis"

/** Carries texts from each process to all that listen. Texts may be lost, and may come twice or in another order. */
export interface Channel {
  readonly notify: (text: string) => Effect.Effect<unknown, unknown>
  /** Begins to listen; fails, or ends the queue, when it can't hear what comes. */
  readonly listen: Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>
}

/** Makes the channel of PostgreSQL; PGlite has none, since no other process can append there. */
export const channelOf = ({ listener, reads }: Database["Service"]): Option.Option<Channel> =>
  Option.map(listener, (connect) => {
    const name = `${schemaOf(reads)}_log`
    return {
      // To lose a hint in a crash is harmless, so this commit need not wait for the disk.
      notify: (text) => reads`SELECT set_config('synchronous_commit', 'off', true), pg_notify(${name}, ${text})`,
      listen: Effect.flatMap(connect, (sql) => sql.listen(name))
    }
  })

/**
 * Returns the hints as a PubSub, `onAppended`, which adds a listener, and functions to be called: `stored` with the outcomes
 * of each statement that appends, `reconnected` when a lost connection for appends was replaced.
 */
export const make = Effect.fnUntraced(function* (channel: Option.Option<Channel>) {
  const grown = yield* PubSub.sliding<void>(1)
  const { onAppended, publish, reconnected } = AppendedEvents.make(grown)
  const pending = yield* Queue.sliding<void>(1)

  const stored = (entries: ReadonlyArray<EncodedEntry>, outcomes: ReadonlyArray<Outcome>) => {
    const { bytes, events } = AppendedEvents.ofBatch(entries, outcomes)
    const isAppended = Arr.isReadonlyArrayNonEmpty(events)
    if (isAppended) publish(events, bytes)
    // A batch whose answer was lost is stored, too; sent again, it comes back as duplicates.
    const isKnown = outcomes.some(({ _tag }) => _tag === "Duplicate")
    if (isKnown) PubSub.publishUnsafe(grown, undefined)
    if (isAppended || isKnown) Queue.offerUnsafe(pending, undefined)
  }
  if (Option.isNone(channel)) return { grown, onAppended, reconnected, stored }

  const processId = randomUUID()
  const notify = channel.value.notify(processId).pipe(withinSeconds(5), Effect.ignore)
  const notifyForEver = Queue.take(pending).pipe(
    Effect.andThen(notify),
    Effect.andThen(Effect.sleep(notifyInterval)),
    Effect.forever
  )
  yield* supervise("append-notifier", notifyForEver)

  const listen = (works: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const notifications = yield* channel.value.listen
      yield* works
      // No notification tells of events that were appended before this process listened, so it looks for them now.
      PubSub.publishUnsafe(grown, undefined)
      yield* Queue.takeAll(notifications).pipe(
        Effect.map((received) => {
          if (received.some(({ payload }) => payload !== processId)) PubSub.publishUnsafe(grown, undefined)
        }),
        Effect.forever
      )
      // A lost connection may mean a lost database, which the next read of the log shows.
    }).pipe(Effect.ensuring(Effect.sync(() => PubSub.publishUnsafe(grown, undefined))))
  yield* superviseReporting("append-listener", listen)

  return { grown, onAppended, reconnected, stored }
})
