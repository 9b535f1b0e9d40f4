/** The queue before a collector, over real connections: what it takes, what it drops, and what it says of that. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, Metric } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { OtlpSerialization, PrometheusMetrics } from "effect/observability"
import * as OtlpReceiver from "../../../harness/telemetry/OtlpReceiver.ts"
import * as ExportQueue from "../../../src/telemetry/otlp/ExportQueue.ts"

const receiver = (answer: Parameters<typeof OtlpReceiver.start>[0]) =>
  Effect.acquireRelease(
    Effect.promise(() => OtlpReceiver.start(answer)),
    ({ stop }) => Effect.promise(stop)
  )

const queue = ExportQueue.layer(Duration.minutes(1)).pipe(
  Layer.provide(OtlpSerialization.layerJson),
  Layer.provide(FetchHttpClient.layer)
)

const megabyte = new Uint8Array(1024 ** 2)

const post = (url: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    client.execute(HttpClientRequest.bodyUint8Array(HttpClientRequest.post(`${url}/v1/logs`), megabyte))
  )

const counted = (name: string) =>
  Effect.map(PrometheusMetrics.format(), (text) =>
    Number(new RegExp(`^${name}\\{signal="traces"\\} (\\d+)`, "m").exec(text)?.[1])
  )

const observed = <A, E>(test: (lines: ReadonlyArray<string>) => Effect.Effect<A, E, HttpClient.HttpClient>) => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
  return test(lines).pipe(
    Effect.provide(Layer.provide(queue, Logger.layer([logger]))),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )
}

it.live("takes each request at once, and drops and counts what the collector leaves no room for", () =>
  observed((lines) =>
    Effect.gen(function* () {
      const { promise: released, resolve: release } = Promise.withResolvers<number>()
      const { requests, url } = yield* receiver(() => released)
      for (let sent = 0; sent < 11; sent++) assert.strictEqual((yield* post(url)).status, 200)
      assert.strictEqual(yield* counted("orders_telemetry_dropped_total"), 3)
      release(200)
      while ((yield* counted("orders_telemetry_sent_total")) < 8) yield* Effect.sleep(1)
      assert.lengthOf(requests, 8)
      assert.strictEqual((yield* post(url)).status, 200)
      while ((yield* counted("orders_telemetry_sent_total")) < 9) yield* Effect.sleep(1)
      assert.isEmpty(lines)
    }).pipe(Effect.scoped)
  )
)

it.live("sends again what a collector that is away did not take, and drops what it refuses, and says so once", () =>
  observed((lines) =>
    Effect.gen(function* () {
      const statuses = [503, 429, 200, 400, 200]
      const { requests, url } = yield* receiver(() => statuses.shift() ?? 200)
      for (let sent = 0; sent < 3; sent++) yield* post(url)
      while ((yield* counted("orders_telemetry_sent_total")) < 2) yield* Effect.sleep(1)
      assert.strictEqual(yield* counted("orders_telemetry_dropped_total"), 1)
      assert.lengthOf(requests, 2)
      assert.match(lines[0]!, /^The collector of telemetry at 127\.0\.0\.1:\d+ takes no traces: it answers with 503\. /)
      assert.match(lines[1]!, /^The collector of telemetry takes traces again after \d+ s; 0 /)
      assert.match(lines[2]!, /takes no traces: it answers with 400\. /)
      while (lines.length < 4) yield* Effect.sleep(1)
      assert.match(lines[3]!, /^The collector of telemetry takes traces again after \d+ s; 1 /)
    }).pipe(Effect.scoped)
  )
)
