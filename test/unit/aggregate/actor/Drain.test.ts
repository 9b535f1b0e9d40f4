import { assert, it } from "@effect/vitest"
import type { Decided } from "../../../../src/aggregate/actor/Drain.ts"
import { reconcile } from "../../../../src/aggregate/actor/Drain.ts"
import type { Outcome } from "../../../../src/eventstore/EventStore.ts"

type Append = Extract<Decided<number, string, string, never>, { readonly _tag: "Append" }>

/** Only what `reconcile` looks at: whether the command has a key. */
const append = (id: string, isKeyed: boolean) =>
  ({ _tag: "Append", events: [id], envelope: { keyed: isKeyed ? { receipt: id } : undefined } }) as unknown as Append

const stored = { version: 2, position: 7n, recordedAt: "2026-11-28T00:00:00.000Z" }
const duplicate = (receipt: string): Outcome => ({ _tag: "Duplicate", ...stored, receipt })

it("a keyed command behind a lost one gets the receipt that is stored under its own key", () => {
  const decided = [append("a", true), append("b", true), append("c", false)]
  const outcomes: ReadonlyArray<Outcome> = [duplicate("a"), duplicate("b"), { _tag: "Conflict", version: 2 }]
  const { confirmed, lost } = reconcile(decided, outcomes)
  assert.deepStrictEqual(confirmed, [])
  assert.deepStrictEqual(
    lost.map(({ envelope, outcome }) => [decided.findIndex((one) => one.envelope === envelope), outcome]),
    [
      [0, duplicate("a")],
      [1, duplicate("b")]
    ]
  )
})
