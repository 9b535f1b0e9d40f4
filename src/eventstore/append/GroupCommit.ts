/**
 * Gathers concurrent appends into batches, so that one commit serves many callers (group commit: DeWitt et al. 1984).
 * `SqlEventStore` calls it; it hands batches to its lanes (`AppendLane`), one batch in flight per lane.
 *
 * A free lane takes everything that waits, up to a limit: a lone append leaves at once, without a timer, and under load
 * batches grow by themselves. A call is never split over batches, and is answered by its own deadline at the latest.
 */
import { Clock, Deferred, Effect, Exit, Latch } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import type { Entry, Outcome } from "../EventStore.ts"
import { OutcomeUnknown, Overloaded } from "../EventStoreErrors.ts"
import { type EncodedEntry, encode } from "./AppendStatement.ts"

export type AppendError = Overloaded | DatabaseUnavailable | OutcomeUnknown

/** A call of `append` exists from when it waits until it is answered. */
export interface Call {
  readonly entries: ReadonlyArray<EncodedEntry>
  readonly bytes: number
  /** The deadline is in milliseconds of the monotonic clock. */
  readonly deadline: number
  readonly reply: Deferred.Deferred<ReadonlyArray<Outcome>, AppendError>
  /** The batch is absent while the call waits for a lane. */
  batch: Batch | undefined
  isAnswered: boolean
}

/** One statement stores the calls of a batch. */
export interface Batch {
  calls: ReadonlyArray<Call>
  /** This is true while a statement with these calls is on its way. */
  isExecuting: boolean
  /** This is true once such a statement was sent and not answered, so that nobody knows whether it took effect. */
  isUndetermined: boolean
}

/** A lane stores a batch and answers its calls. It never fails, and gets one batch at a time. */
export type Lane = (batch: Batch) => Effect.Effect<void>

export interface Limits {
  readonly batchEntries: number
  readonly batchBytes: number
  /** At most this many entries may wait for a lane. */
  readonly waitingEntries: number
}

export const defaultLimits: Limits = { batchEntries: 500, batchBytes: 1024 * 1024, waitingEntries: 4_096 }

/** Calls whose deadline has passed are looked for at this interval, in milliseconds. */
const deadlineInterval = 20

export const answer = (call: Call, exit: Exit.Exit<ReadonlyArray<Outcome>, AppendError>): void => {
  if (call.isAnswered) return
  call.isAnswered = true
  Deferred.doneUnsafe(call.reply, exit)
}

/** Tells a caller whose time is up what is certain about its append. */
const errorAtDeadline = ({ batch }: Call): AppendError => {
  if (batch === undefined) return new Overloaded({ what: "the log's writer", retryAfter: 1 })
  if (batch.isUndetermined || batch.isExecuting) return new OutcomeUnknown({ retryAfter: 1 })
  return new DatabaseUnavailable({ retryAfter: 1 })
}

export const make = Effect.fnUntraced(function* (lanes: ReadonlyArray<Lane>, limits: Limits = defaultLimits) {
  const clock = yield* Clock.Clock
  const batchSize = yield* Metrics.appendBatchSize
  const waiting: Array<Call> = []
  let waitingEntries = 0
  const inFlight = new Set<Batch>()
  /** This latch is open while appends wait for one of the connections that store them. */
  const someWait = Latch.makeUnsafe()
  /** This latch is open while calls wait for a lane or for their answer. */
  const someAreOpen = Latch.makeUnsafe()

  const takeCalls = (): ReadonlyArray<Call> => {
    const calls: Array<Call> = []
    let entries = 0
    let bytes = 0
    let taken = 0
    for (const call of waiting) {
      const fits = entries + call.entries.length <= limits.batchEntries && bytes + call.bytes <= limits.batchBytes
      if (calls.length > 0 && !fits) break
      taken++
      if (call.isAnswered) continue
      calls.push(call)
      entries += call.entries.length
      bytes += call.bytes
    }
    for (const call of waiting.splice(0, taken)) waitingEntries -= call.entries.length
    if (waiting.length === 0) someWait.closeUnsafe()
    return calls
  }

  const expire = (calls: ReadonlyArray<Call>, now: number): void => {
    for (const call of calls) {
      if (!call.isAnswered && call.deadline <= now) answer(call, Exit.fail(errorAtDeadline(call)))
    }
  }

  const expireAll = (now: number): void => {
    expire(waiting, now)
    for (const batch of inFlight) expire(batch.calls, now)
  }

  const runLane = Effect.fnUntraced(function* (lane: Lane) {
    while (true) {
      yield* someWait.await
      expireAll(MonotonicClock.millisUnsafe(clock))
      const batch: Batch = { calls: takeCalls(), isExecuting: false, isUndetermined: false }
      if (batch.calls.length === 0) continue
      for (const call of batch.calls) call.batch = batch
      batchSize(batch.calls.reduce((sum, call) => sum + call.entries.length, 0))
      inFlight.add(batch)
      // A lane never fails, but it may be interrupted. Nobody knows then what the database has done.
      yield* Effect.ensuring(
        lane(batch),
        Effect.sync(() => {
          inFlight.delete(batch)
          for (const call of batch.calls) answer(call, Exit.fail(new OutcomeUnknown({ retryAfter: 1 })))
        })
      )
    }
  })

  const watchDeadlines = Effect.gen(function* () {
    while (true) {
      yield* someAreOpen.await
      yield* Effect.sleep(deadlineInterval)
      expireAll(MonotonicClock.millisUnsafe(clock))
      if (waiting.length === 0 && inFlight.size === 0) someAreOpen.closeUnsafe()
    }
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => expireAll(Infinity)))
  yield* supervise("append-deadlines", watchDeadlines)
  for (const [index, lane] of lanes.entries()) yield* supervise(`append-lane ${index + 1}`, runLane(lane))

  /** Appends as `EventStore.append` promises. A caller that is interrupted abandons only its wait. */
  return (entries: ReadonlyArray<Entry>, timeout: number): Effect.Effect<ReadonlyArray<Outcome>, AppendError> =>
    Effect.suspend(() => {
      if (entries.length === 0) return Effect.succeed([])
      if (waitingEntries > 0 && waitingEntries + entries.length > limits.waitingEntries) {
        return Effect.fail(new Overloaded({ what: "the log's writer", retryAfter: 1 }))
      }
      const deadline = MonotonicClock.millisUnsafe(clock) + timeout
      const encoded = entries.map(encode)
      const bytes = encoded.reduce((sum, entry) => sum + entry.bytes, 0)
      const reply = Deferred.makeUnsafe<ReadonlyArray<Outcome>, AppendError>()
      waiting.push({ entries: encoded, bytes, deadline, reply, batch: undefined, isAnswered: false })
      waitingEntries += entries.length
      someWait.openUnsafe()
      someAreOpen.openUnsafe()
      return Deferred.await(reply)
    })
})
