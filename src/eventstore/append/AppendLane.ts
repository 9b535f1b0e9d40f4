/**
 * Stores one batch at a time over a connection of its own, and finds out what became of it.
 *
 * A lost connection leaves the outcome open: the identical batch is sent again on a new one, and the database tells what
 * is stored already. What certainly had no effect is simply sent again. Data that can't be stored is found by sending
 * the calls, and then the entries of the guilty call, one by one: nobody else fails for it.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Fiber, Option, Random, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { awaitWithGrace } from "../../database/YieldToIo.ts"
import { type EncodedEntry, execute } from "./AppendStatement.ts"
import type { Outcome } from "../EventStore.ts"
import { type Batch, type Call, type Lane, settle } from "./GroupCommit.ts"
import { classify, messageOf } from "../../database/SqlFailure.ts"

/** Longer than the server's lock timeout; then the connection is given up. */
const attemptTimeout = "3 seconds"
const firstPause = 5
const longestPause = 250

type Attempt =
  | { readonly _tag: "Done"; readonly outcomes: ReadonlyArray<Outcome> }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Again" }
  | { readonly _tag: "Data"; readonly reason: string }

type Stored = Extract<Attempt, { readonly _tag: "Done" | "Data" }> | { readonly _tag: "Abandoned" }

const open = (batch: Batch): boolean => batch.calls.some((call) => !call.settled)

export const make = Effect.fnUntraced(function* (
  connect: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>,
  stored: () => void
): Effect.fn.Return<Lane, never, Scope.Scope> {
  const laneScope = yield* Effect.scope
  let current: { readonly sql: PgClient.PgClient; readonly scope: Scope.Closeable } | undefined

  const connection = Effect.suspend(() => {
    if (current !== undefined) return Effect.succeed(current.sql)
    return Effect.gen(function* () {
      const scope = yield* Scope.fork(laneScope)
      const sql = yield* Scope.provide(connect, scope).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      current = { sql, scope }
      return sql
    })
  })

  const disconnect = Effect.suspend(() => {
    const scope = current?.scope
    current = undefined
    return scope === undefined ? Effect.void : Effect.asVoid(Effect.forkIn(Scope.close(scope, Exit.void), laneScope))
  })

  /**
   * The statement runs in a fiber of its own: given up, it is left behind, not waited for. One that fails before it
   * first waits found the connection dead already, and was never sent.
   */
  const send = Effect.fnUntraced(function* (sql: PgClient.PgClient, entries: ReadonlyArray<EncodedEntry>) {
    const fiber = yield* Effect.forkIn(execute(sql, entries), laneScope, { startImmediately: true })
    const sent = fiber.pollUnsafe() === undefined
    const answer = yield* awaitWithGrace(fiber, attemptTimeout)
    if (Option.isNone(answer)) yield* Effect.forkIn(Fiber.interrupt(fiber), laneScope)
    return { sent, answer }
  })

  const lost = (sent: boolean) => Effect.as(disconnect, { _tag: sent ? "Lost" : "Again" } satisfies Attempt)

  const attempt = Effect.fnUntraced(function* (
    batch: Batch,
    entriesOf: () => ReadonlyArray<EncodedEntry>
  ): Effect.fn.Return<Attempt> {
    const connected = yield* Effect.exit(connection)
    if (Exit.isFailure(connected)) return { _tag: "Again" }
    // One synchronous step from the last look at who still waits to the statement: nobody is told in between that
    // nothing was stored. Once something may be, the batch must stay identical.
    if (!batch.undetermined) batch.calls = batch.calls.filter((call) => !call.settled)
    if (!open(batch)) return { _tag: "Again" }
    batch.executing = true
    const { sent, answer } = yield* send(connected.value, entriesOf())
    if (Option.isNone(answer)) return yield* lost(true)
    return yield* answer.value.pipe(
      Effect.map((outcomes): Attempt => ({ _tag: "Done", outcomes })),
      Effect.catch((error): Effect.Effect<Attempt> => {
        switch (classify(error)) {
          case "lost":
            return lost(sent)
          case "transient":
            return Effect.succeed({ _tag: "Again" })
          case "data":
            return Effect.succeed({ _tag: "Data", reason: messageOf(error) })
          case "bug":
            return Effect.die(error)
        }
      })
    )
  })

  /** Tries until the answer is known or nobody waits for it any more. */
  const persist = Effect.fnUntraced(function* (
    batch: Batch,
    entriesOf: () => ReadonlyArray<EncodedEntry>
  ): Effect.fn.Return<Stored> {
    let pause = firstPause
    while (open(batch)) {
      const result = yield* attempt(batch, entriesOf)
      if (result._tag === "Lost") batch.undetermined = true
      batch.executing = false
      if (result._tag === "Done" || result._tag === "Data") return result
      if (!open(batch)) break
      yield* Effect.sleep(pause * (0.5 + (yield* Random.next)))
      pause = Math.min(pause * 2, longestPause)
    }
    return { _tag: "Abandoned" }
  })

  const onlyCall = (call: Call, undetermined: boolean): Batch => {
    const batch: Batch = { calls: [call], executing: false, undetermined }
    call.batch = batch
    return batch
  }

  /** A call with data that can't be stored: entry by entry, each judged as if those before it were in the same batch. */
  const storeEntries = Effect.fnUntraced(function* (call: Call, reason: string) {
    if (call.entries.length === 1) return settle(call, Exit.succeed([{ _tag: "Refused", reason }]))
    const batch = onlyCall(call, true)
    const broken = new Set<string>()
    const outcomes: Array<Outcome> = []
    for (const encoded of call.entries) {
      const { entry } = encoded
      // No stream is ever at version -1: known commands are still recognised, all else conflicts.
      const judged = broken.has(entry.streamId) ? { ...encoded, entry: { ...entry, expected: -1 } } : encoded
      const result = yield* persist(batch, () => [judged])
      if (result._tag === "Abandoned") return
      const outcome: Outcome | undefined =
        result._tag === "Done" ? result.outcomes[0] : { _tag: "Refused", reason: result.reason }
      if (outcome === undefined) return yield* Effect.die("the log gave no outcome for an entry")
      if (outcome._tag !== "Accepted") broken.add(entry.streamId)
      outcomes.push(outcome)
    }
    stored()
    settle(call, Exit.succeed(outcomes))
  })

  const storeBatch = Effect.fnUntraced(function* (batch: Batch): Effect.fn.Return<void> {
    const result = yield* persist(batch, () => batch.calls.flatMap((call) => call.entries))
    if (result._tag === "Abandoned") return
    if (result._tag === "Data") {
      if (batch.calls.length === 1) {
        for (const call of batch.calls) yield* storeEntries(call, result.reason)
      } else {
        for (const call of batch.calls) yield* storeBatch(onlyCall(call, batch.undetermined))
      }
      return
    }
    if (result.outcomes.some((outcome) => outcome._tag === "Accepted")) stored()
    let next = 0
    for (const call of batch.calls) {
      settle(call, Exit.succeed(result.outcomes.slice(next, next + call.entries.length)))
      next += call.entries.length
    }
  })

  return (batch) =>
    storeBatch(batch).pipe(
      Effect.catchDefect((defect) => {
        for (const call of batch.calls) settle(call, Exit.die(defect))
        return Effect.logError("a batch could not be appended", defect)
      }),
      Effect.withSpan("EventStore.append", { attributes: { calls: batch.calls.length } })
    )
})
