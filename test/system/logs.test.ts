/** The log of a real server, with everything in it that it can say, in JSON: its shape, and what must not be in it. */
import { request } from "node:http"
import { assert, it } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { address, placement } from "../../harness/fixtures/Shop.ts"
import { embeddedDatabase, server } from "../../harness/servers/Resources.ts"

const fields = new Set([
  "annotations",
  "cause",
  "fiberId",
  "level",
  "message",
  "spanId",
  "spans",
  "timestamp",
  "traceId"
])

/** Sends a path as it is, which `fetch` would put right. */
const getRaw = (url: string, path: string) =>
  new Promise<void>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    request({ hostname, port, path }, (response) => response.resume().on("end", resolve))
      .on("error", reject)
      .end()
  })

it("each line of a whole run is one JSON object of one shape, without secrets and personal data", async () => {
  const { output, stop, url } = await server({
    DATABASE_URL: await embeddedDatabase(),
    LOG_FORMAT: "json",
    LOG_LEVEL: "debug",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20hush-header"
  })
  await fillCatalog(url)
  const hopper = { ...address, name: "Grace Hopper", line1: "7 Cobol Street" }
  const key = { "idempotency-key": "hush-key", "x-request-id": "0d9a2c4e-6b0f-4a3a-9d3c-0a1b2c3d4e5f" }
  await call(url, "PUT", "/customers/grace", { body: { name: "Grace Hopper", email: "grace@navy.example" } })
  await call(url, "POST", "/orders", { body: placement({ shippingAddress: hopper }), headers: key })
  await call(url, "POST", "/orders", { body: "{ not JSON of Grace Hopper" })
  await call(url, "GET", "/orders?customerId=grace@navy.example", { headers: { authorization: "Bearer hush-token" } })
  await getRaw(url, "/orders/%0D%0A%7B%22level%22:%22forged%22%7D")
  await getRaw(url, "/forged%0A%1B%5B31m")
  assert.strictEqual((await stop()).code, 0)

  const lines = output().trim().split("\n")
  const entries = lines.map((line) => {
    const entry = JSON.parse(line)
    assert.isEmpty(
      Object.keys(entry).filter((field) => !fields.has(field)),
      line
    )
    assert.isString(entry.message, line)
    assert.oneOf(entry.level, ["DEBUG", "INFO", "WARN", "ERROR"], line)
    assert.strictEqual(new Date(entry.timestamp).toISOString(), entry.timestamp)
    return entry
  })
  const said = (message: string) => entries.filter((entry) => entry.message.includes(message))
  for (const message of ["Listening on", "Stopping", "Stopped"]) assert.lengthOf(said(message), 1, message)
  const [placed] = said("POST /orders was answered with 202.")
  assert.strictEqual(placed.annotations.requestId, key["x-request-id"])
  assert.isNumber(placed.annotations.millis)
  for (const secret of [/hush/, /Hopper/i, /navy/, /Cobol/, /Ada\b/, /ada@example/, /forged/]) {
    assert.notMatch(output(), secret)
  }
})
