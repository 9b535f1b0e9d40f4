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

interface Options<Question> {
  /** Only questions with the same key share a statement; without it, all do. */
  readonly keyOf?: (question: Question) => string
  /** So many statements may be under way at a time, for each key. */
  readonly lanes?: number
  /** One statement answers at most so many questions. */
  readonly most?: number
  /** A statement that takes longer, in milliseconds, is slow: those who ask meanwhile do not wait for it. */
  readonly patience?: number
}

/**
 * Combines concurrent questions into one call of the given function, which gives one answer per question, in the order
 * of the questions. One statement is under way at a time for each key, so that the next one gathers many; only beside slow
 * ones there is another.
 */
export const make = Effect.fnUntraced(function* <Question, A, E>(
  read: (questions: ReadonlyArray<Question>) => Effect.Effect<ReadonlyArray<A>, E>,
  { keyOf = () => "", lanes = 1, most = 500, patience = 100 }: Options<Question> = {}
) {
  type Asked = Call<Question, A, E>
  interface Group {
    readonly key: string
    readonly waiting: Set<Asked>
    running: number
    slow: number
  }
  /** The groups of which some wait or are read for, by their key. */
  const groups = new Map<string, Group>()
  const inFlight = new Set<Asked>()
  const runFork = yield* FiberSet.makeRuntime<never>()

  const takeSome = ({ waiting }: Group): ReadonlyArray<Asked> => {
    const taken: Array<Asked> = []
    for (const call of waiting) {
      if (taken.length === most) break
      taken.push(call)
      waiting.delete(call)
      inFlight.add(call)
    }
    return taken
  }

  const answerSome = (group: Group) =>
    Effect.suspend(() => {
      const calls = takeSome(group)
      let isSlow = false
      const timer = setTimeout(() => {
        isSlow = true
        group.slow += 1
        startLane(group)
      }, patience)
      return Effect.onExit(
        Effect.suspend(() => read(calls.map((call) => call.question))),
        (exit) =>
          Effect.sync(() => {
            clearTimeout(timer)
            if (isSlow) group.slow -= 1
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

  const answerAll = (group: Group) =>
    Effect.whileLoop({
      // A lane whose statement was slow ends if another one has taken its place; the last one to end looks once more.
      while: () => group.waiting.size > 0 && group.running - group.slow === 1,
      body: () => Effect.exit(answerSome(group)),
      step: () => {}
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          group.running -= 1
          startLane(group)
        })
      )
    )

  /** Starts a lane if somebody waits and every statement that is under way is slow. */
  const startLane = (group: Group): void => {
    const { key, running, slow, waiting } = group
    if (waiting.size === 0 && running === 0) groups.delete(key)
    if (waiting.size === 0 || running >= lanes || running > slow) return
    group.running += 1
    runFork(answerAll(group))
  }

  const groupOf = (key: string): Group => {
    const known = groups.get(key)
    if (known !== undefined) return known
    const group: Group = { key, waiting: new Set(), running: 0, slow: 0 }
    groups.set(key, group)
    return group
  }

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const unavailable = Exit.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      const answer = ({ reply }: Asked) => Deferred.doneUnsafe(reply, unavailable)
      inFlight.forEach(answer)
      for (const { waiting } of groups.values()) waiting.forEach(answer)
    })
  )

  return (question: Question): Effect.Effect<A, E | DatabaseUnavailable> =>
    Effect.suspend(() => {
      const call: Asked = { question, reply: Deferred.makeUnsafe() }
      const group = groupOf(keyOf(question))
      group.waiting.add(call)
      // The call waits and the reader runs in one synchronous step, so that no interruption can come between.
      startLane(group)
      return Effect.onInterrupt(Deferred.await(call.reply), () => Effect.sync(() => group.waiting.delete(call)))
    })
})
