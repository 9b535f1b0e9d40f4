import { assert, it } from "@effect/vitest"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { inject, onTestFinished } from "vitest"
import * as BenchProcess from "../../../harness/bench/BenchProcess.ts"
import { post, startLoad } from "../../../harness/bench/http/HttpLoad.ts"
import { zipf } from "../../../harness/bench/http/Zipf.ts"

interface Rate {
  readonly perSecond: { readonly median: number }
}

const resultOf = (...args: ReadonlyArray<string>) => BenchProcess.result(inject("postgresUrl"), ...args)

it("measures requests over HTTP beside a bare server and one-row inserts", async () => {
  const result: unknown = await resultOf("http", "--tiny")
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

it("measures only the parts that are asked for, without what they are compared with if that is not wanted", async () => {
  const { figures } = (await resultOf("http", "--tiny", "--only", "get,live", "--at", "1,3", "--alone")) as {
    readonly figures: ReadonlyArray<{ readonly name: string; readonly connections: number }>
  }
  assert.deepStrictEqual(
    figures.map(({ connections, name }) => `${name}, ${connections}`),
    ["get ordinal, 1", "live ordinal, 1", "get ordinal, 3", "live ordinal, 3"]
  )
})

/** The figures that each of these benchmarks must have. */
const others = {
  mixed: ["orders", "figures", "ratios", "parts"],
  growth: ["events", "figures", "ratios"],
  nodes: ["figures", "twoPerOne", "slowerPerFaster"],
  start: ["orders", "figures"]
}

it.each(Object.entries(others))("the benchmark %s runs, and ends with one line of JSON", async (name, figures) => {
  const result = await resultOf(name, "--tiny")
  assert.containSubset(result, { bench: name, size: "tiny" })
  assert.hasAllKeys(result, ["bench", "size", "ranOn", ...figures])
  const { parts: _, ...measured } = result
  // Where Linux's /proc is missing, CPU and RSS are not known.
  if (process.platform === "linux") assert.notInclude(JSON.stringify(measured), "null")
})

it("measures pushes", async () => {
  const result: unknown = await resultOf("push", "--tiny")
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
  const failure = await load.run({ port, parts: [post], connections: 2, seconds: 1 }).then(String, String)
  assert.include(failure, `post: the answer is not as it must be: ${status} ${body}`)
})

it("a load over HTTP ends at an answer about another order than the one asked for", async () => {
  const load = startLoad()
  onTestFinished(load.stop)
  const port = await answering(200, '{"orderId":"ord_2"}')
  const get = { name: "get", method: "GET", path: "/orders/{id}", ids: ["ord_1"], status: 200 } as const
  const failure = await load.run({ port, parts: [get], connections: 1, seconds: 1 }).then(String, String)
  assert.include(failure, "get: the answer is not as it must be")
})
