import { assert, it } from "vitest"
import { type LoggedEvent, type Recording, run } from "../../../harness/campaigns/PriceRaces.ts"
import { judgeRecording } from "../../../harness/judges/PriceJudge.ts"
import { logFaults, storedEvents } from "../../../harness/servers/Sql.ts"
import { freshDatabase, server, sql } from "../../../harness/servers/Resources.ts"

const change =
  (isMeant: (event: LoggedEvent) => boolean, change: (event: LoggedEvent) => LoggedEvent) =>
  (recording: Recording): Recording => {
    const index = recording.events.findIndex(isMeant)
    assert.notStrictEqual(index, -1, "no such event")
    return { ...recording, events: recording.events.with(index, change(recording.events[index]!)) }
  }

const isPlaced = ({ type }: LoggedEvent) => type === "OrderPlaced"
const isAdded = ({ type }: LoggedEvent) => type === "LineAdded"
type Lines = ReadonlyArray<{ readonly unitPrice: number }>
const dearer = (lines: unknown) =>
  (lines as Lines).map((line) => Object.assign({}, line, { unitPrice: line.unitPrice + 1 }))

const damages: Readonly<Record<string, (recording: Recording) => Recording>> = {
  "an order at another price": change(isPlaced, (event) => ({
    ...event,
    data: { ...event.data, lines: dearer(event.data.lines) }
  })),
  "an order for a customer of yesterday": change(isPlaced, (event) => ({
    ...event,
    data: { ...event.data, customer: { name: "ada", email: "ada@example.org" } }
  })),
  "an order in another currency": change(isPlaced, (event) => ({ ...event, data: { ...event.data, currency: "USD" } })),
  "a line at another price": change(isAdded, (event) => ({
    ...event,
    data: { line: dearer([event.data.line])[0] }
  })),
  "every product is withdrawn before all orders": (recording) => ({
    ...recording,
    events: recording.events.map((event) =>
      event.type === "ProductSaved" ? { ...event, type: "ProductWithdrawn" } : event
    )
  }),
  "a refusal that was never right": (recording) => {
    const index = recording.attempts.findIndex(({ kind, receipt }) => kind === "place" && receipt !== undefined)
    const wrong = { ...recording.attempts[index]!, status: 422, slug: "invalid-request", receipt: undefined }
    return { ...recording, attempts: recording.attempts.with(index, wrong) }
  },
  "a lost race was handed to the caller": (recording) => {
    const index = recording.attempts.findIndex(({ slug }) => slug === "unknown-product")
    const wrong = { ...recording.attempts[index]!, status: 409, slug: "concurrency-conflict" }
    return { ...recording, attempts: recording.attempts.with(index, wrong) }
  }
}

it("64 clients over two servers never place an order at a price, or for a customer, that is not current at its position", async () => {
  const url = await freshDatabase()
  const servers = await Promise.all([server({ DATABASE_URL: url }), server({ DATABASE_URL: url })])
  const log = sql(url)
  const seed = Date.now() % 1_000_000
  const isEnough = (attempts: number) => attempts >= 1_500
  const recording = await run({ urls: servers.map(({ url }) => url), sql: log, clients: 64, isEnough, seed })
  const { faults, ...judgement } = judgeRecording(recording)

  assert.deepStrictEqual(faults, [], `seed ${seed}`)
  assert.deepStrictEqual(logFaults(await storedEvents(log)), [])
  assert.isAbove(judgement.placed, 500)
  assert.isAbove(judgement.linesAdded, 50)
  assert.isAbove(judgement.changes, 100)
  assert.isAbove(judgement.refused["unknown-product"] ?? 0, 0)
  assert.isAbove(judgement.refused["unknown-customer"] ?? 0, 0)
  assert.isAbove(judgement.overtaken, 0, "the clients never met")

  for (const [damage, change] of Object.entries(damages)) {
    assert.isNotEmpty(judgeRecording(change(recording)).faults, `not seen: ${damage}`)
  }
})
