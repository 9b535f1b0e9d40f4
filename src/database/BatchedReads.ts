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

interface Options {
  /** So many statements may be under way at a time. */
  readonly lanes?: number
  /** One statement answers at most so many questions. */
  readonly most?: number
  /** A statement that takes longer, in milliseconds, is slow: those who ask meanwhile do not wait for it. */
  readonly patience?: number
}

/**
 * Combines concurrent questions into one call of the given function, which gives one answer per question, in the order
 * of the questions. One statement is under way at a time, so that the next one gathers many; only beside slow ones there
 * is another.
 */
export const make = Effect.fnUntraced(function* <Question, A, E>(
  read: (questions: ReadonlyArray<Question>) => Effect.Effect<ReadonlyArray<A>, E>,
  { lanes = 1, most = 500, patience = 100 }: Options = {}
) {
  type Asked = Call<Question, A, E>
  const waiting = new Set<Asked>()
  const inFlight = new Set<Asked>()
  let running = 0
  let slow = 0
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

  const answerSome = Effect.suspend(() => {
    const calls = takeSome()
    let isSlow = false
    const timer = setTimeout(() => {
      isSlow = true
      slow += 1
      startLane()
    }, patience)
    return Effect.onExit(
      Effect.suspend(() => read(calls.map((call) => call.question))),
      (exit) =>
        Effect.sync(() => {
          clearTimeout(timer)
          if (isSlow) slow -= 1
          for (const [index, call] of calls.entries()) {
            inFlight.delete(call)
            Deferred.doneUnsafe(
              call.reply,
              Exit.map(exit, (answers) => answers[index]!)
            )
          }
        })
    )
  })

  const answerAll = Effect.whileLoop({
    // A lane whose statement was slow ends if another one has taken its place; the last one to end looks once more.
    while: () => waiting.size > 0 && running - slow === 1,
    body: () => Effect.exit(answerSome),
    step: () => {}
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        running -= 1
        startLane()
      })
    )
  )

  /** Starts a lane if somebody waits and every statement that is under way is slow. */
  const startLane = (): void => {
    if (waiting.size === 0 || running >= lanes || running > slow) return
    running += 1
    runFork(answerAll)
  }

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
      startLane()
      return Effect.onInterrupt(Deferred.await(call.reply), () => Effect.sync(() => waiting.delete(call)))
    })
})
