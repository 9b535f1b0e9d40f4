import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { rank } from "../../../../src/http/client/Rendezvous.ts"

const Servers = Schema.UniqueArray(Schema.String).check(Schema.isMaxLength(8))

/** So many ids as servers make them, always the same ones. */
const ids = Array.from({ length: 12_000 }, (_, index) => {
  const hex = (index * 2_654_435_761).toString(16).padStart(12, "0").slice(-12)
  return `ord_0199aa${(index >> 8).toString(16).padStart(2, "0")}-${(index & 0xffff).toString(16).padStart(4, "0")}-7000-8000-${hex}`
})

const nodes = (count: number) => Array.from({ length: count }, (_, index) => `http://orders-command-${index}:3000`)

/** Counts the ids for which each server comes first. */
const countsOf = (servers: ReadonlyArray<string>) => {
  const counts = new Map<string, number>()
  for (const id of ids) {
    const [first = ""] = rank(servers, id)
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  return [...counts.values()]
}

describe("rendezvous hashing", () => {
  it.prop(
    "ranks every server once, whatever the order in which they are named",
    [Servers, Schema.String],
    ([servers, key]) => {
      const ranked = rank(servers, key)
      assert.sameMembers([...ranked], [...servers])
      assert.deepStrictEqual(rank(servers.toReversed(), key), ranked)
    }
  )

  it.prop("keeps the order of the others when a server goes or comes", [Servers, Schema.String], ([servers, key]) => {
    const ranked = rank(servers, key)
    for (const gone of servers) {
      assert.deepStrictEqual(
        rank(
          servers.filter((server) => server !== gone),
          key
        ),
        ranked.filter((server) => server !== gone)
      )
    }
  })

  it("gives each server its part of the orders, and spreads those of a server that is away over all others", () => {
    for (const count of [2, 3, 5, 16]) {
      const part = ids.length / count
      const counts = countsOf(nodes(count))
      assert.lengthOf(counts, count)
      for (const found of counts) assert.closeTo(found, part, part * 0.15)
    }
    const seconds = ids.map((id) => rank(nodes(5), id)).filter(([first]) => first === nodes(5)[0])
    for (const other of nodes(5).slice(1)) {
      const taken = seconds.filter(([, second]) => second === other).length
      assert.closeTo(taken, seconds.length / 4, seconds.length * 0.06)
    }
  })
})
