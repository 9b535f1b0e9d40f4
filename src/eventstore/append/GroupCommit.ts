/**
 * Gathers concurrent appends into batches, so that one commit serves many callers (group commit: DeWitt et al. 1984).
 * `SqlEventStore` calls it; it hands batches to its lanes (`AppendLane`), one batch in flight per lane.
 *
 * A free lane takes everything that waits, up to a limit: a lone append leaves at once, without a timer. Beside a batch in
 * flight, which holds the lock on the log's head, a lane sends only one that is as large. So batches grow by themselves,
 * to about the same size. A call is never split over batches, and is answered by its own deadline at the latest.
 */
import { Clock, Deferred, Effect, Exit, Latch, type Tracer } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as Span from "../../telemetry/Span.ts"
import type { Entry, Outcome } from "../EventStore.ts"
import { OutcomeUnknown, Overloaded } from "../EventStoreErrors.ts"
import { type EncodedEntry, encode } from "./AppendStatement.ts"

export type AppendError = Overloaded | DatabaseUnavailable | OutcomeUnknown

/** A call of `append` exists from when it waits until it is answered. */
export interface Call {
  readonly entries: ReadonlyArray<EncodedEntry>
  readonly bytes: number
  /** Its entries have so many guards, each of which is looked up while the log's head is locked. */
  readonly guards: number
  /** The deadline is in milliseconds of the monotonic clock. */
  readonly deadline: number
  readonly reply: Deferred.Deferred<ReadonlyArray<Outcome>, AppendError>
  /** The span of the caller, which the span of the batch continues; there is none if nobody traces. */
  readonly span: Tracer.AnySpan | undefined
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
  readonly batchGuards: number
  /** At most this many entries may wait for a lane. */
  readonly waitingEntries: number
}

export const defaultLimits: Limits = {
  batchEntries: 500,
  batchBytes: 1024 * 1024,
  batchGuards: 2_000,
  waitingEntries: 4_096
}

/**
 * At this interval, in milliseconds, calls are looked for whose deadline has passed, and a free lane takes those that wait,
 * however few, since the batch in flight may hang.
 */
const lookInterval = 20

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
  let inFlightEntries = 0
  /** This latch is open while calls wait that a free lane is to take. */
  const someMayLeave = Latch.makeUnsafe()
  /** This latch is open while calls wait for a lane or for their answer. */
  const someAreOpen = Latch.makeUnsafe()

  const updateLatch = (): void => {
    const mayLeave = waiting.length > 0 && (inFlight.size === 0 || waitingEntries >= inFlightEntries)
    if (mayLeave) someMayLeave.openUnsafe()
    else someMayLeave.closeUnsafe()
  }

  const takeCalls = (): ReadonlyArray<Call> => {
    const calls: Array<Call> = []
    let entries = 0
    let bytes = 0
    let guards = 0
    let taken = 0
    for (const call of waiting) {
      const fits =
        entries + call.entries.length <= limits.batchEntries &&
        bytes + call.bytes <= limits.batchBytes &&
        guards + call.guards <= limits.batchGuards
      if (calls.length > 0 && !fits) break
      taken++
      if (call.isAnswered) continue
      calls.push(call)
      entries += call.entries.length
      bytes += call.bytes
      guards += call.guards
    }
    for (const call of waiting.splice(0, taken)) waitingEntries -= call.entries.length
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
      yield* someMayLeave.await
      expireAll(MonotonicClock.millisUnsafe(clock))
      const batch: Batch = { calls: takeCalls(), isExecuting: false, isUndetermined: false }
      const entries = batch.calls.reduce((sum, call) => sum + call.entries.length, 0)
      for (const call of batch.calls) call.batch = batch
      if (entries > 0) inFlight.add(batch)
      inFlightEntries += entries
      updateLatch()
      if (entries === 0) continue
      batchSize(entries)
      // A lane never fails, but it may be interrupted. Nobody knows then what the database has done.
      yield* Effect.ensuring(
        lane(batch),
        Effect.sync(() => {
          inFlight.delete(batch)
          inFlightEntries -= entries
          for (const call of batch.calls) {
            if (!call.isAnswered) answer(call, Exit.fail(new OutcomeUnknown({ retryAfter: 1 })))
          }
          updateLatch()
        })
      )
    }
  })

  const watchDeadlines = Effect.gen(function* () {
    while (true) {
      yield* someAreOpen.await
      yield* Effect.sleep(lookInterval)
      expireAll(MonotonicClock.millisUnsafe(clock))
      if (waiting.length > 0) someMayLeave.openUnsafe()
      if (waiting.length === 0 && inFlight.size === 0) someAreOpen.closeUnsafe()
    }
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => expireAll(Infinity)))
  yield* supervise("append-deadlines", watchDeadlines)
  for (const [index, lane] of lanes.entries()) yield* supervise(`append-lane ${index + 1}`, runLane(lane))

  /** Appends as `EventStore.append` promises. A caller that is interrupted abandons only its wait. */
  return (entries: ReadonlyArray<Entry>, timeout: number): Effect.Effect<ReadonlyArray<Outcome>, AppendError> =>
    Effect.withFiber((fiber) => {
      if (entries.length === 0) return Effect.succeed([])
      if (waitingEntries > 0 && waitingEntries + entries.length > limits.waitingEntries) {
        return Effect.fail(new Overloaded({ what: "the log's writer", retryAfter: 1 }))
      }
      const deadline = MonotonicClock.millisUnsafe(clock) + timeout
      const encoded = entries.map(encode)
      const bytes = encoded.reduce((sum, entry) => sum + entry.bytes, 0)
      const guards = entries.reduce((sum, entry) => sum + (entry.guards?.length ?? 0), 0)
      const reply = Deferred.makeUnsafe<ReadonlyArray<Outcome>, AppendError>()
      const span = Span.current(fiber)
      waiting.push({ entries: encoded, bytes, guards, deadline, reply, span, batch: undefined, isAnswered: false })
      waitingEntries += entries.length
      updateLatch()
      someAreOpen.openUnsafe()
      return Deferred.await(reply)
    })
})
