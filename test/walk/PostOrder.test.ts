/** The way of a command as `docs/architecture.md` shows it is the way that a command takes. */
import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { readerOrders } from "../../harness/orders/ReaderOrders.ts"
import { start } from "../../harness/servers/ApiServer.ts"
import { withCatalog } from "../../harness/clients/CheckedClient.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase } from "../../harness/vitest/FreshDatabase.ts"
import { recordEnteredFiles } from "../../harness/walk/EnteredFiles.ts"

const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "architecture.md"), "utf8")
const [, section = ""] = text.split("## The way of a command\n")
const [way = ""] = section.split("\n## ")

/** The numbered rows of the table, each with its file. */
const stations = [...way.matchAll(/^\| \d+ \| `(.+?)` \|/gm)].map(([, file]) => `${file}.ts`)
/** The files that the stations call and that return at once. */
const helpers = [...way.matchAll(/^- `(\w+\/.*?)`.*$/gm)].flatMap(([line]) =>
  [...line.matchAll(/`(.+?)`/g)].map(([, file]) => `${file}.ts`)
)

const commit = "eventstore/append/AppendStatement.ts"
/** From the first function behind the socket on; before it, the process was still busy with an earlier command. */
const fromSocketToCommit = (entered: ReadonlyArray<string>) =>
  entered.slice(
    entered.findIndex((file) => file.startsWith("http/")),
    entered.lastIndexOf(commit) + 1
  )

/** The tail hands the previous command's event on, which may happen during the next command, and says that it works. */
const isFollower = (file: string) =>
  file.startsWith("eventstore/tail/") || ["eventstore/EventRow.ts", "supervision/OutageLog.ts"].includes(file)

/** The stations that are entered in the documented order; those that are missing come out of step are left out. */
const inOrder = (entered: ReadonlyArray<string>) => {
  let from = 0
  return stations.filter((station) => {
    const index = entered.indexOf(station, from)
    if (index !== -1) from = index
    return index !== -1
  })
}

it.live(
  "a command enters the stations that the documentation lists, in that order, and no file that it does not name",
  () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const server = yield* Effect.acquireRelease(
        Effect.promise(async () => withCatalog(await start({ orders: readerOrders(url) }))),
        ({ stop }) => Effect.promise(stop)
      )
      const place = Effect.promise(() => recordEnteredFiles(() => server.send("POST", "/orders", placement())))
      // What is loaded or made once is not a part of the way.
      yield* Effect.repeat(place, Schedule.recurs(4))
      const ways = (yield* Effect.replicateEffect(place, 10)).map(fromSocketToCommit)
      for (const way of ways) assert.deepStrictEqual(inOrder(way), stations)
      const documented = [...stations, ...helpers]
      assert.includeMembers(ways.flat(), documented)
      // Whatever else the process does meanwhile is not in every way: it polls, it sweeps, and it follows the log.
      const [first = [], ...others] = ways.map((way) => way.filter((file) => !isFollower(file)))
      const entered = [...new Set(first)].filter((file) => others.every((way) => way.includes(file)))
      assert.includeMembers(documented, entered)
    })
)

it("the way of a command has at most 14 stations and enters each folder once", () => {
  const folders = stations.map((file) => dirname(file))
  const visits = folders.filter((folder, index) => folder !== folders[index - 1])
  assert.isAtLeast(stations.length, 10)
  assert.isAtMost(stations.length, 14)
  assert.deepStrictEqual(visits, [...new Set(visits)])
})
