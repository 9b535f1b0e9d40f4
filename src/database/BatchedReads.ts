/**
 * Reads for concurrent callers, with one statement in flight: whoever asks meanwhile is answered by the next one. A call
 * is only ever answered by a statement that began after it.
 */
import { Deferred, Effect, Exit, FiberSet } from "effect"
import { DatabaseUnavailable } from "./DatabaseErrors.ts"

interface Call<Question, A, E> {
  readonly question: Question
  readonly reply: Deferred.Deferred<A, E | DatabaseUnavailable>
}

/**
 * Combines concurrent questions into one call of the given function, which gives one answer per question, in the order
 * of the questions; at most `most` of them at once.
 */
export const make = Effect.fnUntraced(function* <Question, A, E>(
  read: (questions: ReadonlyArray<Question>) => Effect.Effect<ReadonlyArray<A>, E>,
  most = 500
) {
  const waiting: Array<Call<Question, A, E>> = []
  let inFlight: ReadonlyArray<Call<Question, A, E>> = []
  let isRunning = false
  const runFork = yield* FiberSet.makeRuntime<never>()

  const answerAll = Effect.gen(function* () {
    while (waiting.length > 0) {
      inFlight = waiting.splice(0, most)
      const exit = yield* Effect.exit(read(inFlight.map((call) => call.question)))
      for (const [index, call] of inFlight.entries()) {
        Deferred.doneUnsafe(
          call.reply,
          Exit.map(exit, (answers) => answers[index]!)
        )
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => (isRunning = false))))

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const unavailable = Exit.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      for (const call of [...inFlight, ...waiting]) Deferred.doneUnsafe(call.reply, unavailable)
    })
  )

  return (question: Question): Effect.Effect<A, E | DatabaseUnavailable> =>
    Effect.suspend(() => {
      const reply = Deferred.makeUnsafe<A, E | DatabaseUnavailable>()
      waiting.push({ question, reply })
      // The call waits and the reader runs in one synchronous step, so that no interruption can come between.
      if (!isRunning) {
        isRunning = true
        runFork(answerAll)
      }
      return Deferred.await(reply)
    })
})
