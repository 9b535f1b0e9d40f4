/**
 * Stores one batch at a time over a connection of its own, and finds out what became of it. `GroupCommit` hands it the
 * batches; it sends them over its connection (by `AppendStatement`) and answers their calls.
 *
 * A lost connection leaves the outcome open: the identical batch is sent again on a new connection, and the database
 * tells what is stored already. Data that can't be stored is found by sending the calls, and then the entries of the
 * guilty call, one by one, so that no other call fails for it.
 */
import { Cause, Effect, Exit, Fiber, Option, Result, Schedule, Scope } from "effect"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { classify, isSessionUnusable, messageOf } from "../../database/SqlFailure.ts"
import { awaitWithGrace } from "../../database/YieldToIo.ts"
import type { OutageLog } from "../../supervision/OutageLog.ts"
import type { Outcome } from "../EventStore.ts"
import type { EncodedEntry } from "./AppendStatement.ts"
import { answer, type Batch, type Call, type Lane } from "./GroupCommit.ts"
import * as Span from "../../telemetry/Span.ts"

/** Stores a batch over one connection and in one transaction, and gives one outcome for each entry, in order. */
export type Send = (batch: ReadonlyArray<EncodedEntry>) => Effect.Effect<ReadonlyArray<Outcome>, SqlError>

/** Opens a connection, which is closed with the scope. */
export type Connect = Effect.Effect<Send, SqlError, Scope.Scope>

/** The connection is given up after this time, which is longer than the server's lock timeout. */
const attemptTimeout = "3 seconds"

const noAnswer = new SqlError({
  reason: new ConnectionError({ message: "The server has not answered in time.", operation: "query", cause: undefined })
})

const notConnected = (cause: unknown) =>
  new SqlError({
    reason: new ConnectionError({ message: "No connection could be made.", operation: "connect", cause })
  })

/** The pauses between attempts begin with 5 ms and double up to 250 ms, with jitter. */
const pauses = Schedule.min([Schedule.exponential("5 millis"), Schedule.spaced("250 millis")]).pipe(Schedule.jittered)

/**
 * Says what became of a batch.
 *
 * - `Stored`: the database has given its outcomes.
 * - `Refused`: nothing was stored, because data in the batch can't be.
 * - `Abandoned`: nobody waits for the batch any more.
 */
type Stored =
  | { readonly _tag: "Stored"; readonly outcomes: ReadonlyArray<Outcome> }
  | { readonly _tag: "Refused"; readonly reason: string }
  | { readonly _tag: "Abandoned" }

/** The entries are read at each attempt, since calls may leave the batch before it is sent. */
type Entries = () => ReadonlyArray<EncodedEntry>

const isAwaited = (batch: Batch): boolean => batch.calls.some((call) => !call.isAnswered)

/**
 * Takes `stored`, which is called with what a statement has answered once its callers are told, and the log of outages
 * that all lanes share.
 */
export const make = Effect.fnUntraced(function* (
  connect: Connect,
  stored: (entries: ReadonlyArray<EncodedEntry>, outcomes: ReadonlyArray<Outcome>) => void,
  outage: OutageLog
): Effect.fn.Return<Lane, never, Scope.Scope> {
  const laneScope = yield* Effect.scope
  let current: { readonly send: Send; readonly scope: Scope.Closeable } | undefined

  const connection = Effect.suspend(() => {
    if (current !== undefined) return Effect.succeed(current.send)
    return Effect.gen(function* () {
      const scope = yield* Scope.fork(laneScope)
      const send = yield* Scope.provide(connect, scope).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      current = { send, scope }
      return send
    })
  })

  const disconnect = Effect.suspend(() => {
    const scope = current?.scope
    current = undefined
    return scope === undefined ? Effect.void : Effect.asVoid(Effect.forkIn(Scope.close(scope, Exit.void), laneScope))
  })

  /**
   * Sends the batch once; fails if that is to be tried again.
   *
   * The statement runs in a fiber of its own, which is left behind when its time is up, because to interrupt a
   * statement means to wait for the server. A statement that fails before it first waits found a dead connection and
   * was not sent.
   */
  const attempt = Effect.fnUntraced(function* (batch: Batch, entriesOf: Entries): Effect.fn.Return<Stored, SqlError> {
    const sendOnce =
      current?.send ?? (yield* Effect.catchDefect(connection, (cause) => Effect.fail(notConnected(cause))))
    // From here to the statement is one synchronous step, so that no caller is told in between that nothing was stored.
    // Once something may be stored, the batch must stay identical.
    if (!batch.isUndetermined) batch.calls = batch.calls.filter((call) => !call.isAnswered)
    if (!isAwaited(batch)) return { _tag: "Abandoned" }
    batch.isExecuting = true
    const fiber = yield* Effect.forkIn(sendOnce(entriesOf()), laneScope, { startImmediately: true })
    const isSent = fiber.pollUnsafe() === undefined
    const exit = yield* awaitWithGrace(fiber, attemptTimeout)
    if (Option.isNone(exit)) yield* Effect.forkIn(Fiber.interrupt(fiber), laneScope)
    const result = yield* Effect.result(Option.getOrElse(exit, () => Effect.fail(noAnswer)))
    const failure = Result.isSuccess(result) ? undefined : classify(result.failure)
    batch.isUndetermined ||= failure === "lost" && isSent
    // Callers whose time is up before they are told that their entries are stored must not hear that nothing was stored.
    batch.isExecuting = Result.isSuccess(result)
    if (Result.isSuccess(result)) return { _tag: "Stored", outcomes: result.success }
    if (failure === "data") return { _tag: "Refused", reason: messageOf(result.failure) }
    if (failure === "bug") return yield* Effect.die(result.failure)
    if (failure === "lost" || isSessionUnusable(result.failure)) yield* disconnect
    return yield* result.failure
  })

  /** Tries until the database has answered, or nobody waits for the batch any more. */
  const send = (batch: Batch, entriesOf: Entries): Effect.Effect<Stored> =>
    attempt(batch, entriesOf).pipe(
      Effect.tap(({ _tag }) => (outage.isFailing() && _tag !== "Abandoned" ? outage.works : Effect.void)),
      Effect.tapError((error) => outage.failed(messageOf(error))),
      Effect.retry({ schedule: pauses, while: () => isAwaited(batch) }),
      Effect.catch(() => Effect.succeed<Stored>({ _tag: "Abandoned" }))
    )

  const batchOf = (call: Call, isUndetermined: boolean): Batch => {
    const batch: Batch = { calls: [call], isExecuting: false, isUndetermined }
    call.batch = batch
    return batch
  }

  /** Sends the entries of a call with refused data one by one, each judged as if they were in the same batch. */
  const storeEntries = Effect.fnUntraced(function* (call: Call, reason: string) {
    if (call.entries.length === 1) return answer(call, Exit.succeed([{ _tag: "Refused", reason }]))
    const batch = batchOf(call, true)
    const broken = new Set<string>()
    const outcomes: Array<Outcome> = []
    for (const encoded of call.entries) {
      const { entry } = encoded
      const result = yield* send(batch, () => [{ ...encoded, isAfterLost: broken.has(entry.streamId) }])
      if (result._tag === "Abandoned") return
      const outcome: Outcome | undefined = result._tag === "Stored" ? result.outcomes[0] : result
      if (outcome === undefined) return yield* Effect.die("The database returned no outcome for an entry.")
      if (outcome._tag !== "Accepted") broken.add(entry.streamId)
      outcomes.push(outcome)
      stored([encoded], [outcome])
    }
    answer(call, Exit.succeed(outcomes))
  })

  const storeBatch = Effect.fnUntraced(function* (batch: Batch): Effect.fn.Return<void> {
    const result = yield* send(batch, () => batch.calls.flatMap((call) => call.entries))
    switch (result._tag) {
      case "Abandoned":
        return
      case "Refused": {
        const isGuilty = batch.calls.length === 1
        for (const call of batch.calls) {
          yield* isGuilty ? storeEntries(call, result.reason) : storeBatch(batchOf(call, batch.isUndetermined))
        }
        return
      }
      case "Stored": {
        let next = 0
        for (const call of batch.calls) {
          answer(call, Exit.succeed(result.outcomes.slice(next, next + call.entries.length)))
          next += call.entries.length
        }
        stored(
          batch.calls.flatMap((call) => call.entries),
          result.outcomes
        )
      }
    }
  })

  return (batch) =>
    storeBatch(batch).pipe(
      Effect.catchDefect((defect) => {
        for (const call of batch.calls) answer(call, Exit.die(defect))
        return outage.failed("a batch is refused because of a bug, and its callers are told", Cause.die(defect))
      }),
      Span.joined(
        "EventStore.append",
        () => batch.calls.flatMap(({ span }) => span ?? []),
        () => ({ calls: batch.calls.length })
      )
    )
})
