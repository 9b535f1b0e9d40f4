import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { inject, onTestFinished } from "vitest"
import { zipf } from "../../../harness/bench/http/Zipf.ts"
import { post, startLoad } from "../../../harness/bench/http/HttpLoad.ts"

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
  const { figures, half, ratios } = result as {
    readonly figures: ReadonlyArray<{ readonly name: string } & Rate>
    readonly half: ReadonlyArray<{ readonly p99: number }>
    readonly ratios: ReadonlyArray<{ readonly ratio: string; readonly value: number }>
  }
  const both = ["post bare", "post ordinal", "get bare", "get ordinal", "list bare", "list ordinal"]
  assert.sameMembers(
    figures.map(({ name }) => name),
    [...both, "keyed ordinal", "confirm ordinal", "live ordinal"]
  )
  for (const { perSecond } of figures) assert.isAbove(perSecond.median, 0)
  for (const { p99 } of half) assert.isAbove(p99, 0)
  assert.lengthOf(half, 1)
  for (const { value } of ratios) assert.isAbove(value, 0)
})

/** The figures that each of these benchmarks must have. */
const others = {
  mixed: ["figures", "ratios", "parts"],
  hot: ["insertsPerSecond", "figures"],
  memory: ["residents", "placing", "embedded"],
  growth: ["events", "figures", "ratios"],
  nodes: ["figures", "twoPerOne", "slowerPerFaster"],
  start: ["orders", "figures"]
}

it.each(Object.entries(others))("the benchmark %s runs, and ends with one line of JSON", async (name, figures) => {
  const { code, err, out } = await bench(name, "--tiny")
  assert.strictEqual(code, 0, err)
  const result = JSON.parse(out.trimEnd().split("\n").at(-1)!)
  assert.containSubset(result, { bench: name, size: "tiny" })
  assert.hasAllKeys(result, ["bench", "size", "ranOn", ...figures, ...(name === "mixed" ? ["orders"] : [])])
  // Where Linux's /proc is missing, CPU and RSS are not known.
  if (process.platform === "linux") assert.notInclude(JSON.stringify(result), "null")
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

it("measures only the parts that are asked for, without what they are compared with if that is not wanted", async () => {
  const { code, err, out } = await bench("http", "--tiny", "--only", "get,live", "--at", "1,3", "--alone")
  assert.strictEqual(code, 0, err)
  const { figures } = JSON.parse(out.trimEnd().split("\n").at(-1)!) as {
    readonly figures: ReadonlyArray<{ readonly name: string; readonly connections: number }>
  }
  assert.deepStrictEqual(
    figures.map(({ connections, name }) => `${name}, ${connections}`),
    ["get ordinal, 1", "live ordinal, 1", "get ordinal, 3", "live ordinal, 3"]
  )
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

it("draws the first of many in proportion to 1, the second to 1/2, the third to 1/3", () => {
  const steps = 1_100_000
  let at = 0
  const draw = zipf(3, () => (at++ + 0.5) / steps)
  const counts = [0, 0, 0]
  for (let step = 0; step < steps; step++) counts[draw()]! += 1
  assert.deepStrictEqual(counts, [600_000, 300_000, 200_000])
})

/** A server that answers every request with this. */
const answering = async (status: number, body: string) => {
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

it.each([
  ["an error", 503, "later"],
  ["another status of success", 200, '{"orderId":"ord_1"}'],
  ["no id", 202, "{}"],
  ["more ids than one", 202, '{"orderId":"ord_1","again":{"orderId":"ord_2"}}']
])("a load over HTTP ends at an answer to a placement that is %s", async (_, status, body) => {
  const load = startLoad()
  onTestFinished(load.stop)
  const port = await answering(status, body)
  const failure = await load.run({ port, parts: [post], connections: 2, seconds: 600 }).then(String, String)
  assert.include(failure, `post: the answer is not as it must be: ${status} ${body}`)
})

it("a load over HTTP ends at an answer about another order than the one asked for", async () => {
  const load = startLoad()
  onTestFinished(load.stop)
  const port = await answering(200, '{"orderId":"ord_2"}')
  const get = { name: "get", method: "GET", path: "/orders/{id}", ids: ["ord_1"], status: 200 } as const
  const failure = await load.run({ port, parts: [get], connections: 1, seconds: 600 }).then(String, String)
  assert.include(failure, "get: the answer is not as it must be")
})
