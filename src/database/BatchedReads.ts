/**
 * Reads for concurrent callers, with few statements in flight: whoever asks meanwhile is answered by the next one. A call
 * is only ever answered by a statement that began after it, and a caller who leaves is not read for.
 */
import { Deferred, Effect, Exit, FiberSet } from "effect"
import { DatabaseUnavailable } from "./DatabaseErrors.ts"

interface Call<Question, A, E> {
  readonly question: Question
  readonly reply: Deferred.Deferred<A, E | DatabaseUnavailable>
}

/**
 * Combines concurrent questions into one call of the given function, which gives one answer per question, in the order
 * of the questions; at most `most` of them at once. So many calls of it, `lanes`, may be under way at a time.
 */
export const make = Effect.fnUntraced(function* <Question, A, E>(
  read: (questions: ReadonlyArray<Question>) => Effect.Effect<ReadonlyArray<A>, E>,
  { lanes = 1, most = 500 }: { readonly lanes?: number; readonly most?: number } = {}
) {
  type Asked = Call<Question, A, E>
  const waiting = new Set<Asked>()
  const inFlight = new Set<Asked>()
  let running = 0
  const runFork = yield* FiberSet.makeRuntime<never>()

  const takeSome = (): ReadonlyArray<Asked> => {
    const taken: Array<Asked> = []
    for (const call of waiting) {
      if (taken.length === most) break
      taken.push(call)
      waiting.delete(call)
      inFlight.add(call)
    }
    return taken
  }

  const answerAll = Effect.gen(function* () {
    while (waiting.size > 0) {
      const calls = takeSome()
      const exit = yield* Effect.exit(Effect.suspend(() => read(calls.map((call) => call.question))))
      for (const [index, call] of calls.entries()) {
        inFlight.delete(call)
        Deferred.doneUnsafe(
          call.reply,
          Exit.map(exit, (answers) => answers[index]!)
        )
      }
    }
  }).pipe(Effect.ensuring(Effect.sync(() => (running -= 1))))

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const unavailable = Exit.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      for (const call of [...inFlight, ...waiting]) Deferred.doneUnsafe(call.reply, unavailable)
    })
  )

  return (question: Question): Effect.Effect<A, E | DatabaseUnavailable> =>
    Effect.suspend(() => {
      const call: Asked = { question, reply: Deferred.makeUnsafe() }
      waiting.add(call)
      // The call waits and the reader runs in one synchronous step, so that no interruption can come between.
      if (running < lanes) {
        running += 1
        runFork(answerAll)
      }
      return Effect.onInterrupt(Deferred.await(call.reply), () => Effect.sync(() => waiting.delete(call)))
    })
})
