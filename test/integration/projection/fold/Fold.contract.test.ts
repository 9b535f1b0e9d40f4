/** The rows of a fold, on every store: what is read of them, how fresh it is, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { Containers, JarRows } from "../../../../harness/aggregates/JarRows.ts"
import { fill, JarId, Jars } from "../../../../harness/aggregates/Jars.ts"
import { PotId, Pots } from "../../../../harness/aggregates/Pots.ts"
import { longestWait, patientConnections } from "../../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../../harness/views/ViewSteps.ts"
import * as EventSourcing from "../../../../src/kernel/EventSourcing.ts"
import { ParkedStreams } from "../../../../src/projection/parking/ParkedStreams.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Projection } from "../../../../src/projection/TypedProjection.ts"

const running = Layer.mergeAll(Projection.layer(JarRows), Projection.layer(Containers)).pipe(
  Layer.provideMerge(Layer.mergeAll(Jars.layer, Pots.layer))
)

const inMemory = Layer.provideMerge(running, EventSourcing.layerMemory)
type Kernel = Layer.Layer<Layer.Success<typeof inMemory>, unknown>

const kernels: Record<string, Effect.Effect<Kernel, unknown, Scope.Scope>> = {
  "in memory": Effect.succeed(inMemory),
  "on PGlite": Effect.succeed(Layer.provideMerge(running, EventSourcing.layerPglite("memory"))),
  "on PostgreSQL": Effect.map(freshDatabase, (url) =>
    Layer.provideMerge(running, EventSourcing.layerPostgres(url, patientConnections))
  )
}

const label = Effect.fnUntraced(function* (id: string, text: string) {
  const jars = yield* Jars
  return (yield* jars.send(JarId.make(id), { _tag: "Label", text })).token
})

/** Sorted by their bytes: 😀 has greater ones than ﬁ, though its first UTF-16 unit is smaller. */
const labels = ["", "%", "a", "a|b", "b", "é", "ﬁ", "😀"]
const ids = Array.from({ length: 24 }, (_, n) => `${"abcdefgh"[n % 8]}${"xyz"[n % 3]}`.repeat(1 + (n % 2)))

/** Fills and labels some jars; the same each time. */
const stock = Effect.gen(function* () {
  for (const [n, id] of ids.entries()) yield* fill(`${id}:${1 + ((n * 37) % 150)}`)
  for (const [n, id] of ids.entries()) yield* label(id, labels[(n * 5) % labels.length]!)
  return yield* fill(`${ids[0]}:1`)
})

describe.each(Object.entries(kernels))("the rows of a fold %s", (_, kernel) => {
  const run = <E>(program: Effect.Effect<void, E, Layer.Success<Kernel>>) =>
    Effect.flatMap(kernel, (kernel) => Effect.provide(program, kernel)).pipe(Effect.provide(silent), Effect.scoped)

  it.live("are the fold of their streams, in every order and by every filter, page after page", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* JarRows.queries
        const jars = yield* Jars
        const token = yield* stock
        const everyPage = Effect.fnUntraced(function* (asked: NonNullable<Parameters<typeof rows.list>[0]>) {
          const found = []
          let cursor: string | undefined
          do {
            const page = yield* rows.list({ ...asked, limit: 5, token, ...longestWait, ...(cursor && { cursor }) })
            assert.strictEqual(page.hasMore, page.next !== undefined)
            assert.isAtMost(page.rows.length, 5)
            found.push(...page.rows)
            cursor = page.next
          } while (cursor !== undefined)
          return found
        })

        const all = yield* everyPage({})
        assert.deepStrictEqual(
          all.map(({ id }) => id),
          [...new Set(ids)].sort()
        )
        for (const { id, row, version } of all) {
          const { state, version: current } = yield* jars.get(id)
          assert.containSubset(row, { ...state, isHeavy: state.coins > 100 })
          assert.strictEqual(version, current)
          const got = yield* rows.get(id, { token })
          assert.deepStrictEqual([got.row, got.version], [row, version])
        }

        const bytes = (text: string) => Buffer.from(text)
        const orders = {
          id: () => 0,
          coins: (left, right) => left.coins - right.coins,
          label: (left, right) => Buffer.compare(bytes(left.label), bytes(right.label)),
          isHeavy: (left, right) => Number(left.isHeavy) - Number(right.isHeavy),
          half: (left, right) => left.half! - right.half!
        } satisfies Record<string, (left: (typeof all)[0]["row"], right: (typeof all)[0]["row"]) => number>
        const filters = [
          {},
          { isHeavy: true },
          { isHeavy: [true, false] },
          { label: "a|b" },
          { label: ["", "😀", "a"] },
          { label: [] },
          { coins: [all[3]!.row.coins, all[5]!.row.coins, -1], isHeavy: false },
          { half: all.find(({ row }) => row.half !== undefined)!.row.half! }
        ]
        for (const filter of filters) {
          const matching = all.filter(({ row }) =>
            Object.entries(filter).every(([name, among]) => [among].flat().includes(row[name as "coins"] as never))
          )
          for (const [name, compare] of Object.entries(orders)) {
            const expected = matching
              .filter(({ row }) => name !== "half" || row.half !== undefined)
              .toSorted((left, right) => compare(left.row, right.row) || (left.id < right.id ? -1 : 1))
            const sort = name as keyof typeof orders
            assert.deepStrictEqual(yield* everyPage({ filter, sort }), expected, `${name} ${JSON.stringify(filter)}`)
            assert.deepStrictEqual(yield* everyPage({ filter, sort: `-${sort}` }), expected.reverse())
          }
        }
        assert.strictEqual((yield* rows.list({ limit: 0 })).rows.length, 1)
        assert.strictEqual((yield* rows.list()).rows.length, Math.min(20, all.length))
      })
    )
  )

  it.live("go when evolve says so, and come again", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* JarRows.queries
        yield* fill("a:1 b:2")
        const gone = yield* label("a", "gone")
        const none = yield* rows.get(JarId.make("a"), { token: gone, ...longestWait })
        assert.deepStrictEqual([none.row, none.version], [undefined, 0])
        assert.deepStrictEqual(
          (yield* rows.list()).rows.map(({ id }) => id),
          ["b"]
        )
        const token = yield* fill("a:7")
        const again = yield* rows.get(JarId.make("a"), { token, ...longestWait })
        assert.deepStrictEqual([again.row?.coins, again.version], [7, 3])
      })
    )
  )

  it.live("contain what a token was given for, or say that they do not", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* JarRows.queries
        const projections = yield* Projections
        const first = yield* fill("a:1")
        yield* rows.awaitToken(first, { id: JarId.make("a"), ...longestWait })
        yield* projections.pause(JarRows.name)
        const token = yield* fill("a:2")
        const behind = { _tag: "ProjectionBehind", required: 2n }
        assert.containSubset(yield* Effect.flip(rows.get(JarId.make("a"), { token, wait: 0 })), behind)
        assert.containSubset(yield* Effect.flip(rows.list({ token, wait: 0 })), behind)
        assert.containSubset(yield* Effect.flip(rows.awaitToken(token, { wait: 0 })), behind)
        const old = yield* rows.get(JarId.make("a"), { token: first })
        assert.deepStrictEqual([old.row?.coins, old.freshness.behind, old.freshness.position], [1, 1, 1n])
        assert.strictEqual(old.token, first)
        yield* projections.resume(JarRows.name)
        assert.strictEqual((yield* rows.get(JarId.make("a"), { token, ...longestWait })).row?.coins, 3)
        for (const foreign of [`1.${crypto.randomUUID()}`, "nonsense"]) {
          assert.strictEqual((yield* Effect.flip(rows.list({ token: foreign })))._tag, "InvalidToken")
          assert.strictEqual((yield* Effect.flip(rows.get(JarId.make("a"), { token: foreign })))._tag, "InvalidToken")
        }
      })
    )
  )

  it.live("are of one aggregate each: of several, one says whose", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* Containers.queries
        const pots = yield* Pots
        yield* fill("a:1 a:2 b:1")
        yield* label("a", "is no filling")
        const pot = PotId.make("a")
        const { token } = yield* pots.send(pot, { _tag: "FillUp", coins: 5 })
        const got = yield* rows.get(pot, { category: "pot", token, ...longestWait })
        assert.deepStrictEqual(got.row, { kind: "pot", fillings: 1 })
        const { rows: listed } = yield* rows.list({ category: "jar", sort: "-fillings" })
        assert.deepStrictEqual(
          listed.map(({ id, row, version }) => [id, row.fillings, version]),
          [
            ["a", 2, 2],
            ["b", 1, 1]
          ]
        )
        const unsaid = yield* Effect.flip(rows.list({ category: "bowl" } as never))
        assert.strictEqual(unsaid.message, `The rows of containers are of jar and pot; say which as "category".`)
      })
    )
  )

  it.live("are refused, in a sentence, what the fold does not offer", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* JarRows.queries
        const token = yield* fill("a:1 b:2 c:3")
        const { next: cursor = "" } = yield* rows.list({ limit: 1, sort: "coins", token, ...longestWait })
        assert.deepStrictEqual(
          (yield* rows.list({ limit: 1, sort: "coins", cursor })).rows.map(({ id }) => id),
          ["b"]
        )
        const refused = (asked: object) => Effect.flip(rows.list(asked as never))
        assert.strictEqual(
          (yield* refused({ filter: { lable: "x" } })).message,
          `A list of jars can't be filtered by "lable"; its fields are coins, label, isHeavy, half.`
        )
        assert.strictEqual(
          (yield* refused({ filter: { coins: "1" } })).message,
          `The filter "coins" of jars takes a number, or a list of them.`
        )
        for (const filter of [
          { label: [1] },
          { label: "\0" },
          { label: "\ud800" },
          { isHeavy: "true" },
          { coins: NaN },
          { coins: null }
        ]) {
          assert.strictEqual((yield* refused({ filter }))._tag, "InvalidQuery")
        }
        assert.strictEqual(
          (yield* refused({ sort: "weight" })).message,
          `A list of jars can't be sorted by "weight"; take one of id, coins, label, isHeavy, half, with "-" before it for the other direction.`
        )
        const others = [
          { cursor },
          { cursor, sort: "-coins" },
          { cursor, sort: "coins", filter: { isHeavy: false } },
          { cursor: `${cursor}x`, sort: "coins" },
          { cursor: "", sort: "coins" }
        ]
        for (const other of others) assert.strictEqual((yield* refused(other))._tag, "InvalidCursor")
        // Only the fold's name tells these two lists apart.
        const { next: byId = "" } = yield* rows.list({ limit: 1 })
        const containers = yield* Containers.queries
        assert.strictEqual((yield* rows.list({ cursor: byId })).rows.length, 2)
        const alike = yield* Effect.flip(containers.list({ category: "jar", cursor: byId }))
        assert.strictEqual(alike._tag, "InvalidCursor")
        const foreign = yield* Effect.flip(containers.list({ category: "jar", cursor }))
        assert.strictEqual(foreign._tag, "InvalidCursor")
      })
    )
  )

  it.live("are never wrong: a stream whose row can't be made, or is not valid, is parked, and the others go on", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* JarRows.queries
        const parkedStreams = yield* ParkedStreams
        yield* fill("a:1 b:1 c:1")
        yield* label("b", "poison")
        yield* label("d", "poison")
        for (let times = 0; times < 26; times++) yield* fill("c:1000")
        const token = yield* fill("a:1")
        assert.strictEqual((yield* rows.get(JarId.make("a"), { token, ...longestWait })).row?.coins, 2)
        const parked = yield* parkedStreams.list
        assert.deepStrictEqual(parked.map(({ streamId }) => streamId).sort(), ["jar-b", "jar-c", "jar-d"])
        assert.include(parked.find(({ streamId }) => streamId === "jar-c")?.reason, "25000")
        assert.strictEqual((yield* rows.list()).freshness.parked, 3)
        for (const id of ["b", "c"]) {
          const read = rows.get(JarId.make(id), { token })
          assert.containSubset(yield* Effect.flip(read), { _tag: "ProjectionBehind", parked: true })
          assert.isDefined((yield* rows.get(JarId.make(id))).row)
        }
        const awaited = rows.awaitToken(token, { id: JarId.make("b") })
        assert.containSubset(yield* Effect.flip(awaited), { parked: true })
        yield* rows.awaitToken(token)
        // Of this one there is nothing, which does not mean that there is no such jar.
        assert.containSubset(yield* Effect.flip(rows.get(JarId.make("d"))), { parked: true })
        for (const { id, streamId } of parked) if (streamId !== "jar-c") yield* parkedStreams.skip(id)
        const later = yield* fill("b:1 d:1")
        assert.strictEqual((yield* rows.get(JarId.make("b"), { token: later, ...longestWait })).row?.coins, 2)
        assert.strictEqual((yield* rows.get(JarId.make("d"), { token: later })).row?.coins, 1)
      })
    )
  )
})
