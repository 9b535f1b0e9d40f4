import { Agent, request } from "node:http"
import { assert, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { fillCatalog, history, orderId } from "../../harness/clients/HttpClient.ts"
import { now } from "../../harness/clocks/RunningTime.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"

interface Sent {
  readonly order: string
  /** When the last byte was handed to the operating system; Infinity if it was not. */
  readonly sentAt: number
  /** 0 if there was no answer. */
  readonly status: number
}

const send = (agent: Agent, url: string, order: string) =>
  new Promise<Sent>((resolve) => {
    let sentAt = Infinity
    const headers = { "content-type": "application/json" }
    const sending = request(`${url}/orders`, { agent, method: "POST", headers }, (response) => {
      response.resume()
      response.once("close", () => resolve({ order, sentAt, status: response.statusCode ?? 0 }))
    })
    sending.once("finish", () => (sentAt = performance.now()))
    sending.once("error", () => resolve({ order, sentAt, status: 0 }))
    sending.end(JSON.stringify(placement({ orderId: order })))
  })

it("SIGTERM under load: what was sent is answered, what was answered is kept, the exit code is 0", async () => {
  const settings = { DATABASE_URL: await freshDatabase() }
  const first = await server(settings)
  await fillCatalog(first.url)

  const agent = new Agent({ keepAlive: true })
  const sent: Array<Sent> = []
  let accepted = 0
  const enough = Promise.withResolvers<void>()
  const client = async () => {
    for (let status = 202; status !== 0;) {
      const made = await send(agent, first.url, orderId())
      status = made.status
      sent.push(made)
      if (status === 202) accepted += 1
      if (accepted > 300) enough.resolve()
    }
  }
  const clients = Array.from({ length: 64 }, client)
  await enough.promise
  const stopping = performance.now()
  const began = now()
  const exit = await first.stop()
  const took = now() - began
  await Promise.all(clients)
  agent.destroy()

  assert.deepStrictEqual(exit, { code: 0, signal: null }, first.output())
  assert.isBelow(took, 10_000)
  const unanswered = sent.filter(({ sentAt, status }) => status === 0 && sentAt < stopping)
  assert.deepStrictEqual(unanswered, [])
  const others = sent.filter(({ status }) => ![0, 202, 503].includes(status))
  assert.deepStrictEqual(others, [])
  assert.isAbove(sent.filter(({ sentAt, status }) => sentAt < stopping && status === 202).length, 300)

  const second = await server(settings)
  for (const { order, status } of sent) {
    if (status === 202) assert.lengthOf((await history(second.url, order)) ?? [], 2)
  }
})
