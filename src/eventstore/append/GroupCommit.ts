/**
 * The writer: gathers what callers want appended into batches, and keeps a few batches in flight.
 *
 * A free lane takes everything that waits, up to a limit, as one batch; what comes meanwhile is the next. No timer: a
 * lone append leaves at once, and under load batches grow by themselves. One call is never split over batches.
 *
 * Every call is answered by its own deadline, whatever its batch is doing, with what is then certain about it. A caller
 * that goes away abandons only its wait. It does not know how a batch is stored: that is a lane's business.
 */
import { Clock, Deferred, Effect, Exit } from "effect"
import { type EncodedEntry, encode } from "./AppendStatement.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import type { Entry, Outcome } from "../EventStore.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { OutcomeUnknown, Overloaded } from "../EventStoreErrors.ts"

export type AppendError = Overloaded | DatabaseUnavailable | OutcomeUnknown

/** One `append` call: from when it waits until it is answered. */
export interface Call {
  readonly entries: ReadonlyArray<EncodedEntry>
  readonly bytes: number
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly reply: Deferred.Deferred<ReadonlyArray<Outcome>, AppendError>
  /** Absent while it waits. */
  batch: Batch | undefined
  settled: boolean
}

/** Calls being stored by one statement. */
export interface Batch {
  calls: ReadonlyArray<Call>
  /** A statement with these calls is on its way. */
  executing: boolean
  /** Such a statement was sent once and never answered: whether it took effect is not known. */
  undetermined: boolean
}

/** Stores a batch, settles its calls, and never fails. One batch at a time. */
export type Lane = (batch: Batch) => Effect.Effect<void>

export interface Limits {
  readonly batchEntries: number
  readonly batchBytes: number
  /** Entries that may wait. */
  readonly waitingEntries: number
}

export const defaultLimits: Limits = { batchEntries: 500, batchBytes: 1024 * 1024, waitingEntries: 4_096 }

const watchInterval = 20

export const settle = (call: Call, exit: Exit.Exit<ReadonlyArray<Outcome>, AppendError>): void => {
  if (call.settled) return
  call.settled = true
  Deferred.doneUnsafe(call.reply, exit)
}

const giveUp = (call: Call): AppendError => {
  if (call.batch === undefined) return new Overloaded({ what: "the log's writer", retryAfter: 1 })
  if (call.batch.undetermined || call.batch.executing) return new OutcomeUnknown({ retryAfter: 1 })
  return new DatabaseUnavailable({ retryAfter: 1 })
}

/** Lets fibers sleep until there is something to do; looks once more when they lie down, so that no call is missed. */
const makeBell = (needed: () => boolean) => {
  const sleepers: Array<(effect: Effect.Effect<void>) => void> = []
  return {
    wake: () => sleepers.shift()?.(Effect.void),
    sleep: Effect.callback<void>((resume) => {
      if (needed()) return resume(Effect.void)
      sleepers.push(resume)
      return Effect.sync(() => {
        const index = sleepers.indexOf(resume)
        if (index >= 0) sleepers.splice(index, 1)
      })
    })
  }
}

export const make = Effect.fnUntraced(function* (lanes: ReadonlyArray<Lane>, limits: Limits = defaultLimits) {
  const clock = yield* Clock.Clock
  const batchSize = yield* Metrics.appendBatchSize
  const inFlight = new Set<Batch>()
  const waiting: Array<Call> = []
  let waitingEntries = 0
  const freeLanes = makeBell(() => waiting.length > 0)
  const watcher = makeBell(() => waiting.length > 0 || inFlight.size > 0)

  const gather = (): ReadonlyArray<Call> => {
    const calls: Array<Call> = []
    let entries = 0
    let bytes = 0
    let taken = 0
    for (const call of waiting) {
      const fits = entries + call.entries.length <= limits.batchEntries && bytes + call.bytes <= limits.batchBytes
      if (calls.length > 0 && !fits) break
      taken++
      if (call.settled) continue
      calls.push(call)
      entries += call.entries.length
      bytes += call.bytes
    }
    for (const call of waiting.splice(0, taken)) waitingEntries -= call.entries.length
    return calls
  }

  const expire = (now: number): void => {
    const overdue = (call: Call) => !call.settled && call.deadline <= now
    for (const call of waiting) if (overdue(call)) settle(call, Exit.fail(giveUp(call)))
    for (const batch of inFlight)
      for (const call of batch.calls) if (overdue(call)) settle(call, Exit.fail(giveUp(call)))
  }

  const runLane = (lane: Lane) =>
    Effect.gen(function* () {
      while (true) {
        yield* freeLanes.sleep
        expire(clock.currentTimeMillisUnsafe())
        const batch: Batch = { calls: gather(), executing: false, undetermined: false }
        if (batch.calls.length === 0) continue
        for (const call of batch.calls) call.batch = batch
        batchSize(batch.calls.reduce((sum, call) => sum + call.entries.length, 0))
        inFlight.add(batch)
        yield* lane(batch)
        inFlight.delete(batch)
      }
    })

  const watchDeadlines = Effect.gen(function* () {
    while (true) {
      yield* watcher.sleep
      yield* Effect.sleep(watchInterval)
      expire(clock.currentTimeMillisUnsafe())
    }
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => expire(Infinity)))
  yield* Effect.forkScoped(watchDeadlines)
  for (const lane of lanes) yield* Effect.forkScoped(runLane(lane))

  return (entries: ReadonlyArray<Entry>, deadline: number): Effect.Effect<ReadonlyArray<Outcome>, AppendError> =>
    Effect.suspend(() => {
      if (entries.length === 0) return Effect.succeed([])
      if (waitingEntries > 0 && waitingEntries + entries.length > limits.waitingEntries) {
        return Effect.fail(new Overloaded({ what: "the log's writer", retryAfter: 1 }))
      }
      const encoded = entries.map(encode)
      const bytes = encoded.reduce((sum, entry) => sum + entry.bytes, 0)
      const reply = Deferred.makeUnsafe<ReadonlyArray<Outcome>, AppendError>()
      waiting.push({ entries: encoded, bytes, deadline, reply, batch: undefined, settled: false })
      waitingEntries += entries.length
      freeLanes.wake()
      watcher.wake()
      return Deferred.await(reply)
    })
})
