import { assert, it } from "vitest"
import { causeText } from "../../../src/database/CauseText.ts"

const cases: ReadonlyArray<readonly [what: string, error: unknown, text: string]> = [
  [
    "the innermost of several errors",
    new Error("outside", { cause: new Error("the disk is full") }),
    "the disk is full"
  ],
  [
    "all errors of a host with several addresses",
    new AggregateError([new Error("no IPv6"), new Error("no IPv4")]),
    "no IPv6; no IPv4"
  ],
  ["what PGlite throws when the disk is full", { name: "ErrnoError", errno: 51 }, "no space is left on the disk"],
  ["an object of another kind", { status: 99 }, "{ status: 99 }"],
  ["an error whose cause is a text", new Error("said", { cause: "hint" }), "said"],
  ["a text", "stopped", "stopped"],
  ["nothing", undefined, "undefined"]
]

it.each(cases)("an error is told in words: %s", (_, error, text) => {
  assert.strictEqual(causeText(error), text)
})
