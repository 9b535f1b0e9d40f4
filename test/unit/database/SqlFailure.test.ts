import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import {
  blame,
  changeOrUnavailable,
  changeWithinSeconds,
  classify,
  isSessionUnusable,
  messageOf,
  orUnavailable,
  withinSeconds
} from "../../../src/database/SqlFailure.ts"
import { overdueOrUnavailable, TransactionOverdue } from "../../../src/projection/run/BoundedTransaction.ts"

const socket = (code: string) =>
  new SqlError({
    reason: new ConnectionError({ cause: Object.assign(new Error("socket"), { code }), operation: "query" })
  })

const server = (code: string, severity = "ERROR") =>
  new SqlError({
    reason: new UnknownError({ cause: Object.assign(new Error("server"), { code, severity }), operation: "query" })
  })

it.each([
  // Five capital letters, and no SQLSTATE: what Node says of a socket whose other side has hung up.
  [socket("EPIPE"), "lost"],
  [socket("ECONNRESET"), "lost"],
  [server("57P01", "FATAL"), "lost"],
  [server("57014"), "transient"],
  [server("40001"), "transient"],
  [server("22P05"), "data"],
  [server("0A000"), "transient"],
  [server("54000"), "data"],
  [server("P0001"), "bug"]
])("failure %# is classified by what the statement may have done", (error, expected) =>
  assert.strictEqual(classify(error), expected)
)

it.each("08006 25006 25P02 28000 3F000 42501 42P01 53100 55006 57P03 58030 72000 F0000 XX000".split(" "))(
  "SQLSTATE %s is the environment's, so the statement may work later",
  (state) => assert.strictEqual(classify(server(state)), "transient")
)

it.each([
  [socket("ECONNRESET"), "passing"],
  [server("25006"), "passing"],
  [server("57014"), "passing"],
  [server("42501"), "environment"],
  [server("54000"), "environment"],
  [server("XX000"), "environment"],
  [server("22P02"), "statement"],
  [server("23505"), "statement"],
  [server("P0001"), "statement"]
])("failure %# is blamed on what caused it", (error, expected) => assert.strictEqual(blame(error), expected))

it("a session is unusable if it is read-only, in a failed transaction, or keeps a plan that no longer fits", () => {
  for (const state of ["25006", "25P02", "25P03", "26000", "0A000"]) assert.isTrue(isSessionUnusable(server(state)))
  for (const error of [server("42501"), server("57014"), socket("25006")]) assert.isFalse(isSessionUnusable(error))
})

it("messageOf returns the message of the server or the socket", () => {
  const cause = { severity: "ERROR", code: "57014", message: "canceling statement due to statement timeout" }
  const error = new SqlError({ reason: new UnknownError({ cause, message: "Query failed", operation: "query" }) })
  assert.strictEqual(messageOf(error), cause.message)
  assert.strictEqual(messageOf(socket("EPIPE")), "socket")
})

describe("a statement that got no answer", () => {
  const lost = Effect.fail(socket("ECONNRESET"))

  it.effect("changed nothing if it was a read, and perhaps something if it was a change", () =>
    Effect.gen(function* () {
      const read = yield* Effect.flip(orUnavailable(lost))
      assert.match(read.message, /nothing was done/)
      const change = yield* Effect.flip(changeOrUnavailable(lost))
      assert.match(change.message, /it may be done or not: look first/)
      const refused = yield* Effect.flip(changeOrUnavailable(Effect.fail(server("57014"))))
      assert.match(refused.message, /nothing was done/)
    })
  )

  it.effect("is given up after a while, in the same words", () =>
    Effect.gen(function* () {
      for (const [within, words] of [
        [withinSeconds, /nothing was done/],
        [changeWithinSeconds, /it may be done or not/]
      ] as const) {
        const fiber = yield* Effect.forkChild(Effect.flip(within(6)(Effect.never)), { startImmediately: true })
        yield* TestClock.adjust("7 seconds")
        assert.match((yield* Fiber.join(fiber)).message, words)
      }
    })
  )

  it.effect("was perhaps committed if it was a transaction that was given up", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(overdueOrUnavailable(Effect.fail(new TransactionOverdue())))
      assert.match(error.message, /it may be done or not/)
      const { message } = yield* Effect.flip(overdueOrUnavailable(lost))
      assert.match(message, /it may be done or not/)
    })
  )
})
