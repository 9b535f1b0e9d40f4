/** The traces of a server, as a collector receives them: one for each order, from the request to the push. */
import { randomBytes } from "node:crypto"
import { assert, it, onTestFinished } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { until, untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import * as OtlpReceiver from "../../harness/telemetry/OtlpReceiver.ts"
import { overSse } from "../../harness/streams/StreamConnection.ts"

const steps = [
  "POST",
  "Orders.place",
  "Catalog.quote",
  "Aggregates.send",
  "AggregateActor.drain",
  "AggregateActor.decide",
  "EventStore.append",
  "Projection.apply",
  "EventStream.push"
]

const settingsOf = async (receiver: OtlpReceiver.OtlpReceiver) => ({
  DATABASE_URL: await freshDatabase(),
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_BSP_SCHEDULE_DELAY: "50",
  OTEL_METRIC_EXPORT_INTERVAL: "100"
})

const receive = async (answer?: Parameters<typeof OtlpReceiver.start>[0]) => {
  const receiver = await OtlpReceiver.start(answer)
  onTestFinished(receiver.stop)
  return receiver
}

it("a placed order is one connected trace, from the request to the push, on every way that it may take", async () => {
  const receiver = await receive()
  const { url } = await server(await settingsOf(receiver))
  const events = await overSse(url, { query: "?after=0" }, () => {})
  onTestFinished(events.cut)
  await fillCatalog(url)

  const ways: ReadonlyArray<readonly [headers: Record<string, string>, alsoPasses: ReadonlyArray<string>]> = [
    [{ prefer: "wait=30" }, ["OrderQueries.get"]],
    [{ prefer: "wait=30", "idempotency-key": "one" }, ["OrderQueries.get", "KeyedCommands.once"]],
    [{}, []],
    [{ "idempotency-key": "two" }, ["KeyedCommands.once"]]
  ]
  for (const [headers, alsoPasses] of ways) {
    const [trace, caller] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")]
    const traceparent = `00-${trace}-${caller}-01`
    const answer = await call(url, "POST", "/orders", { body: placement(), headers: { traceparent, ...headers } })
    assert.oneOf(answer.status, [201, 202])
    const ofTrace = () => receiver.spans.filter(({ traceId }) => traceId === trace)
    const missing = () => {
      const spans = ofTrace()
      const ids = new Set([caller, ...spans.map(({ spanId }) => spanId)])
      const names = new Set(spans.map(({ name }) => name))
      const sql = spans.filter(({ attributes }) => attributes["db.query.text"]?.includes("append_batch"))
      return [
        ...[...steps, ...alsoPasses].filter((name) => !names.has(name)),
        ...spans.filter(({ parentSpanId }) => !ids.has(parentSpanId)).map(({ name }) => `the parent of ${name}`),
        ...(sql.length === 1 ? [] : ["the statement that appends"])
      ]
    }
    await until(missing, (names) => names.length === 0, { what: `The trace with ${JSON.stringify(headers)}` }).catch(
      (cause) => {
        throw new Error(`In the trace are missing: ${missing().join(", ")}`, { cause })
      }
    )
    const [request, ...others] = ofTrace().filter(({ parentSpanId }) => parentSpanId === caller)
    assert.isEmpty(others)
    assert.strictEqual(answer.headers.get("traceparent"), `00-${trace}-${request!.spanId}-01`)
    assert.strictEqual(request!.attributes["http.route"], "/orders")
    const history = await call(url, "GET", `/orders/${answer.body.orderId}/events`)
    for (const event of history.body) assert.strictEqual(event.traceparent, answer.headers.get("traceparent"))
  }
  const arrived = (path: string, text: string) =>
    untilSo(() => receiver.requests.some((one) => one.path === path && Buffer.from(one.body).includes(text)))
  await arrived("/v1/logs", "Listening on")
  for (const name of ["orders_commands_total", "orders_projection_position", "nodejs_heap_size_used_bytes"]) {
    await arrived("/v1/metrics", name)
  }
})

it("a collector that takes nothing, and later everything, is told of in two lines and hinders no command", async () => {
  let isAway = true
  const receiver = await receive(() => (isAway ? 503 : 200))
  const { output, stop, url } = await server({
    ...(await settingsOf(receiver)),
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json"
  })
  await untilSo(() => output().includes("The collector of telemetry at"))
  await fillCatalog(url)
  assert.strictEqual((await call(url, "POST", "/orders", { body: placement() })).status, 202)
  isAway = false
  await untilSo(() => /The collector of telemetry takes \w+ again/.test(output()))
  await untilSo(() => receiver.spans.some(({ name }) => name === "Orders.place"))
  await stop()
  assert.lengthOf(output().match(/The collector of telemetry/g) ?? [], 2)
})
