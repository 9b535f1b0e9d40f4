/**
 * Reads the versions of streams for concurrent callers, with one statement in flight: whoever asks meanwhile is
 * answered by the next one. A call is only ever answered by a statement that began after it.
 */
import { Deferred, Effect, Exit, FiberSet } from "effect"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { StreamId } from "./StreamId.ts"

interface Call {
  readonly streamId: StreamId
  readonly reply: Deferred.Deferred<number, DatabaseUnavailable>
}

const maxBatchSize = 500

/**
 * Combines concurrent reads of versions into one call of the given function, which returns one version per stream in
 * the order of the streams.
 */
export const make = Effect.fnUntraced(function* (
  readVersions: (streamIds: ReadonlyArray<StreamId>) => Effect.Effect<ReadonlyArray<number>, DatabaseUnavailable>
) {
  const waiting: Array<Call> = []
  let inFlight: ReadonlyArray<Call> = []
  let isRunning = false
  const runFork = yield* FiberSet.makeRuntime<never>()

  const answerAll = Effect.gen(function* () {
    while (waiting.length > 0) {
      inFlight = waiting.splice(0, maxBatchSize)
      const exit = yield* Effect.exit(readVersions(inFlight.map((call) => call.streamId)))
      for (const [index, call] of inFlight.entries()) {
        const answer = Exit.map(exit, (versions) => versions[index] ?? 0)
        Deferred.doneUnsafe(call.reply, answer)
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => (isRunning = false))))

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const unavailable = Exit.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      for (const call of [...inFlight, ...waiting]) Deferred.doneUnsafe(call.reply, unavailable)
    })
  )

  return (streamId: StreamId): Effect.Effect<number, DatabaseUnavailable> =>
    Effect.suspend(() => {
      const reply = Deferred.makeUnsafe<number, DatabaseUnavailable>()
      waiting.push({ streamId, reply })
      // The call waits and the reader runs in one synchronous step, so that no interruption can come between.
      if (!isRunning) {
        isRunning = true
        runFork(answerAll)
      }
      return Deferred.await(reply)
    })
})
