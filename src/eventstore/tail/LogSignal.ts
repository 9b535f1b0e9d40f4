/**
 * Tells the readers of the log that it may have grown: at once for this process's own commits, and between processes by
 * NOTIFY on PostgreSQL.
 *
 * Hints are coalesced and sent apart from appends, because a NOTIFY in a commit takes a global lock. A hint may be lost
 * or come twice, so readers poll as well.
 */
import { Effect, Option, PubSub, Queue } from "effect"
import { randomUUID } from "node:crypto"
import type { Database } from "../../database/Database.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { supervise, superviseReporting } from "../../supervision/Supervisor.ts"

const channel = "ordinal_log"
const notifyInterval = "10 millis"

/** Returns the hints as a PubSub, and `publish`, to be called after this process has appended. */
export const make = Effect.fnUntraced(function* (database: Database["Service"]) {
  const grown = yield* PubSub.sliding<void>(1)
  const processId = randomUUID()
  const publishHere = () => void PubSub.publishUnsafe(grown, undefined)
  if (Option.isNone(database.listener)) return { grown, publish: publishHere }
  const connect = database.listener.value

  const pending = yield* Queue.sliding<void>(1)
  // To lose a hint in a crash is harmless, so this commit need not wait for the disk.
  const notify = database.reads`SELECT
    set_config('synchronous_commit', 'off', true), pg_notify(${channel}, ${processId})`.pipe(
    withinSeconds(5),
    Effect.ignore
  )
  const notifyForEver = Queue.take(pending).pipe(
    Effect.andThen(notify),
    Effect.andThen(Effect.sleep(notifyInterval)),
    Effect.forever
  )
  yield* supervise("append-notifier", notifyForEver)

  const listen = (works: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const sql = yield* connect
      const notifications = yield* sql.listen(channel)
      yield* works
      // No notification tells of events that were appended before this process listened, so it looks for them now.
      publishHere()
      yield* Queue.takeAll(notifications).pipe(
        Effect.map((received) => received.some(({ payload }) => payload !== processId) && publishHere()),
        Effect.forever
      )
    })
  yield* superviseReporting("append-listener", listen)

  return {
    grown,
    publish: () => {
      publishHere()
      Queue.offerUnsafe(pending, undefined)
    }
  }
})
