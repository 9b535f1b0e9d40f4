import { assert, it } from "@effect/vitest"
import { readFile } from "node:fs/promises"
import { inject } from "vitest"
import * as BenchProcess from "../../../harness/bench/BenchProcess.ts"

interface Rate {
  readonly perSecond: { readonly median: number }
}

const bench = (...args: ReadonlyArray<string>) => BenchProcess.run(inject("postgresUrl"), args)
const resultOf = (...args: ReadonlyArray<string>) => BenchProcess.result(inject("postgresUrl"), ...args)

it("ends with one line of JSON that says what was measured, and on what", async () => {
  const result: unknown = await resultOf("commands", "--tiny")
  assert.containSubset(result, { bench: "commands", size: "tiny", eventsPerCommand: 1 })
  assert.hasAllDeepKeys(result, [
    "bench",
    "size",
    "ranOn",
    "rowBytes",
    "eventsPerCommand",
    "baseline",
    "pgbench",
    "paths",
    "aloneMillis",
    "ratios"
  ])
  const { aloneMillis, baseline, paths, ranOn, ratios } = result as {
    readonly ranOn: Readonly<Record<string, unknown>>
    readonly baseline: ReadonlyArray<{ readonly connections: number; readonly perSecond: { readonly median: number } }>
    readonly paths: ReadonlyArray<{ readonly path: string; readonly ratio: { readonly median: number } }>
    readonly aloneMillis: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>
    readonly ratios: ReadonlyArray<{ readonly ratio: string; readonly value: number }>
  }
  assert.containsAllKeys(ranOn, ["cores", "node", "server_version", "fsync", "synchronous_commit"])
  assert.deepStrictEqual(
    baseline.map(({ connections }) => connections),
    [1, 2]
  )
  assert.deepStrictEqual(
    paths.map(({ path }) => path),
    ["kernel", "place", "placeWithView", "placeKeyed"]
  )
  assert.deepStrictEqual(Object.keys(aloneMillis), ["insert", ...paths.map(({ path }) => path)])
  for (const { perSecond } of baseline) assert.isAbove(perSecond.median, 0)
  for (const { ratio } of paths) assert.isAbove(ratio.median, 0)
  assert.lengthOf(ratios, 2 * paths.length)
  for (const { value } of ratios) assert.isAbove(value, 0)
})

it("measures the order view: catching up, rebuilt, and beside an INSERT … SELECT and the writes", async () => {
  const result = (await resultOf("projection", "--tiny")) as Readonly<
    Record<"catchUp" | "rebuild" | "insertSelectRows", Rate>
  > & { readonly writes: Record<"withoutView" | "withView" | "sustained", Rate>; readonly catchUpToWrites: number }
  assert.containSubset(result, { bench: "projection", size: "tiny", events: 2_500, orders: 500 })
  for (const { perSecond } of [result.catchUp, result.rebuild, result.insertSelectRows])
    assert.isAbove(perSecond.median, 0)
  const { catchUpToWrites, writes } = result
  for (const { perSecond } of [writes.withoutView, writes.withView, writes.sustained])
    assert.isAbove(perSecond.median, 0)
  assert.isAtMost(writes.sustained.perSecond.median, writes.withView.perSecond.median)
  assert.isAbove(catchUpToWrites, 0)
})

// Memory on PGlite is left out: it takes as long as all the others.
it.each([
  [["hot"], ["insertsPerSecond", "figures"]],
  [
    ["memory", "--only", "residents,placing"],
    ["residents", "placing"]
  ]
])("the benchmark %s runs, and ends with one line of JSON", async ([name = "", ...parts], figures) => {
  const result = await resultOf(name, "--tiny", ...parts)
  assert.containSubset(result, { bench: name, size: "tiny" })
  assert.hasAllKeys(result, ["bench", "size", "ranOn", ...figures])
  // Where Linux's /proc is missing, CPU and RSS are not known.
  if (process.platform === "linux") assert.notInclude(JSON.stringify(result), "null")
})

it("the documentation names only benchmarks that exist, and performance.md names all of them", async () => {
  const { out } = await bench("--help")
  const existing = [...out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name!)
  assert.isAtLeast(existing.length, 11)
  const performance = await readFile("docs/performance.md", "utf8")
  const named = [...`${performance}${await readFile("README.md", "utf8")}`.matchAll(/npm run bench -- ([a-z]+)/g)]
  assert.isAtLeast(named.length, 4)
  for (const [, name] of named) assert.include(existing, name)
  const listed = [...performance.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, name]) => name!)
  assert.sameMembers(listed, existing)
})

it.each([
  [["no-such-thing"], 'there is no benchmark "no-such-thing"'],
  [["http", "--only", "put"], '"http" has no part "put"'],
  [["http", "--at", "1,many"], '--at takes numbers like 1,64, not "1,many"'],
  [["push", "--only", "post"], '"push" has no parts to choose from'],
  [["memory", "--at", "64"], '"memory" knows neither --at nor --alone']
])("says in one sentence that it can't run %s", async (args, sentence) => {
  const { code, err } = await bench(...args)
  assert.strictEqual(code, 1)
  assert.isTrue(err.startsWith(sentence), err)
  assert.lengthOf(err.trimEnd().split("\n"), 1)
})
