/** Concurrent questions for the version of a stream, answered together: everything that waits goes as one statement. */
import { Deferred, Effect, Exit, FiberSet } from "effect"
import type { StreamId } from "./StreamId.ts"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"

interface Question {
  readonly streamId: StreamId
  readonly reply: Deferred.Deferred<number, DatabaseUnavailable>
}

const most = 500

/** `ask` gives one version per stream, in order. A question is only ever answered by an `ask` that began after it. */
export const make = Effect.fnUntraced(function* (
  ask: (streamIds: ReadonlyArray<StreamId>) => Effect.Effect<ReadonlyArray<number>, DatabaseUnavailable>
) {
  const waiting: Array<Question> = []
  let asked: ReadonlyArray<Question> = []
  let asking = false
  const runFork = yield* FiberSet.makeRuntime<never>()

  const answerAll = Effect.gen(function* () {
    while (waiting.length > 0) {
      asked = waiting.splice(0, most)
      const exit = yield* Effect.exit(ask(asked.map((question) => question.streamId)))
      for (const [index, question] of asked.entries()) {
        Deferred.doneUnsafe(
          question.reply,
          Exit.map(exit, (versions) => versions[index] ?? 0)
        )
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => (asking = false))))

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const unavailable = Exit.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      for (const question of [...asked, ...waiting]) Deferred.doneUnsafe(question.reply, unavailable)
    })
  )

  return (streamId: StreamId): Effect.Effect<number, DatabaseUnavailable> =>
    Effect.suspend(() => {
      const reply = Deferred.makeUnsafe<number, DatabaseUnavailable>()
      waiting.push({ streamId, reply })
      if (asking) return Deferred.await(reply)
      // In one synchronous step, so that no interruption can come between.
      asking = true
      runFork(answerAll)
      return Deferred.await(reply)
    })
})
