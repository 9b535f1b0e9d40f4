import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { inject } from "vitest"

interface Rate {
  readonly perSecond: { readonly median: number }
}

/** Runs the command line; its exit code and what it wrote. */
const bench = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    const env = { ...process.env, TEST_DATABASE_URL: inject("postgresUrl") }
    execFile(process.execPath, ["scripts/bench/main.ts", ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })

it("ends with one line of JSON that says what was measured, and on what", async () => {
  const { code, err, out } = await bench("commands", "--tiny")
  assert.strictEqual(code, 0, err)
  const result: unknown = JSON.parse(out.trimEnd().split("\n").at(-1)!)
  assert.containSubset(result, { bench: "commands", size: "tiny", eventsPerCommand: 1 })
  assert.hasAllDeepKeys(result, [
    "bench",
    "size",
    "ranOn",
    "rowBytes",
    "eventsPerCommand",
    "baseline",
    "paths",
    "aloneMillis"
  ])
  const { aloneMillis, baseline, paths, ranOn } = result as {
    readonly ranOn: Readonly<Record<string, unknown>>
    readonly baseline: ReadonlyArray<{ readonly connections: number; readonly perSecond: { readonly median: number } }>
    readonly paths: ReadonlyArray<{ readonly path: string; readonly ratio: { readonly median: number } }>
    readonly aloneMillis: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>
  }
  assert.containsAllKeys(ranOn, ["cores", "node", "server_version", "fsync", "synchronous_commit"])
  assert.deepStrictEqual(
    baseline.map(({ connections }) => connections),
    [1, 2]
  )
  assert.deepStrictEqual(
    paths.map(({ path }) => path),
    ["kernel", "place"]
  )
  assert.deepStrictEqual(Object.keys(aloneMillis), ["insert", "kernel", "place"])
  for (const { perSecond } of baseline) assert.isAbove(perSecond.median, 0)
  for (const { ratio } of paths) assert.isAbove(ratio.median, 0)
})

it("measures the order view: catching up, rebuilt, and beside an INSERT … SELECT and the writes", async () => {
  const { code, err, out } = await bench("projection", "--tiny")
  assert.strictEqual(code, 0, err)
  const result = JSON.parse(out.trimEnd().split("\n").at(-1)!) as Readonly<
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

it("measures requests over HTTP beside a bare server and one-row inserts", async () => {
  const { code, err, out } = await bench("http", "--tiny")
  assert.strictEqual(code, 0, err)
  const result: unknown = JSON.parse(out.trimEnd().split("\n").at(-1)!)
  assert.containSubset(result, { bench: "http", size: "tiny", orders: 20 })
  const { figures, ratios } = result as {
    readonly figures: ReadonlyArray<{ readonly name: string; readonly perSecond: { readonly median: number } }>
    readonly ratios: ReadonlyArray<{ readonly ratio: string; readonly value: number }>
  }
  const names = ["post bare", "post ordinal", "get bare", "get ordinal", "list ordinal", "live ordinal"]
  assert.deepStrictEqual(
    figures.map(({ name }) => name),
    names
  )
  for (const { perSecond } of figures) assert.isAbove(perSecond.median, 0)
  for (const { value } of ratios) assert.isAbove(value, 0)
})

it("measures pushes", async () => {
  const { code, err, out } = await bench("push", "--tiny")
  assert.strictEqual(code, 0, err)
  const result: unknown = JSON.parse(out.trimEnd().split("\n").at(-1)!)
  assert.containSubset(result, { bench: "push", size: "tiny", clients: 6 })
  type Millis = Readonly<Record<"fromAnswer" | "fromRecorded", { readonly p99: number }>>
  const { alone, crowd } = result as {
    readonly alone: { readonly millis: Readonly<Record<"SSE" | "WebSocket", Millis>> }
    readonly crowd: { readonly millis: Millis; readonly pushes: number }
  }
  for (const millis of [alone.millis.SSE, alone.millis.WebSocket, crowd.millis]) {
    assert.isAtLeast(millis.fromAnswer.p99, 0)
    assert.isAtLeast(millis.fromRecorded.p99, 0)
  }
  assert.isAbove(crowd.pushes, 0)
})

it("says in one sentence that a benchmark does not exist", async () => {
  const { code, err } = await bench("no-such-thing")
  assert.strictEqual(code, 1)
  assert.match(err, /^there is no benchmark "no-such-thing"[^\n]*\n$/)
})
