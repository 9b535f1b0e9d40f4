/**
 * The hint that the log has grown: published at once for this process's own commits, and on PostgreSQL passed between
 * processes by NOTIFY, coalesced, never inside an append (a NOTIFY in a commit takes a global lock).
 *
 * A hint may be lost or come twice; readers poll as well.
 */
import { Effect, Option, PubSub, Queue } from "effect"
import { randomUUID } from "node:crypto"
import type { Database } from "../../database/Database.ts"
import { backoff, withinSeconds } from "../../database/SqlFailure.ts"

const channel = "ordinal_log"
const notifyInterval = "10 millis"

export const make = Effect.fnUntraced(function* (database: Database["Service"]) {
  const grown = yield* PubSub.sliding<void>(1)
  const self = randomUUID()
  const publish = () => void PubSub.publishUnsafe(grown, undefined)
  if (Option.isNone(database.listener)) return { grown, stored: publish }
  const connect = database.listener.value

  const pending = yield* Queue.sliding<void>(1)
  // Losing a hint in a crash is harmless, so its commit need not wait for the disk.
  const notify = database.reads`SELECT
    set_config('synchronous_commit', 'off', true), pg_notify(${channel}, ${self})`.pipe(withinSeconds(5), Effect.ignore)
  yield* Queue.take(pending).pipe(
    Effect.andThen(notify),
    Effect.andThen(Effect.sleep(notifyInterval)),
    Effect.forever,
    Effect.forkScoped
  )

  const listen = Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* connect
      const notifications = yield* sql.listen(channel)
      publish()
      yield* Queue.takeAll(notifications).pipe(
        Effect.map((heard) => heard.some((notification) => notification.payload !== self) && publish()),
        Effect.forever
      )
    })
  )
  yield* listen.pipe(
    Effect.tapError((error) => Effect.logDebug("not listening for other processes' appends", error)),
    Effect.retry(backoff),
    Effect.forkScoped
  )

  return {
    grown,
    stored: () => {
      publish()
      Queue.offerUnsafe(pending, undefined)
    }
  }
})
