import { assert, it } from "@effect/vitest"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import { classify, messageOf } from "../../../src/database/SqlFailure.ts"

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
  [server("42P01"), "bug"]
])("failure %# is classified by what the statement may have done", (error, expected) =>
  assert.strictEqual(classify(error), expected)
)

it("messageOf returns the message of the server or the socket", () => {
  const cause = { severity: "ERROR", code: "57014", message: "canceling statement due to statement timeout" }
  const error = new SqlError({ reason: new UnknownError({ cause, message: "Query failed", operation: "query" }) })
  assert.strictEqual(messageOf(error), cause.message)
  assert.strictEqual(messageOf(socket("EPIPE")), "socket")
})
