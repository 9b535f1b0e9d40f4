import { Agent, request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { Effect } from "effect"
import { assert, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, history, orderId } from "../../harness/clients/HttpClient.ts"
import { now } from "../../harness/clocks/RunningTime.ts"
import { untilSo } from "../../harness/clocks/Until.ts"
import { connect } from "../../harness/servers/FreshDatabase.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

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

it("a second signal ends the server at once, whatever is still to be answered", async () => {
  const database = await freshDatabase()
  const { output, pid, stop, url } = await server({ DATABASE_URL: database })
  await fillCatalog(url)
  const order = orderId()
  await Effect.gen(function* () {
    const log = yield* connect(database)
    yield* log`SELECT FROM ordinal.log_head FOR UPDATE`.pipe(
      Effect.andThen(
        Effect.promise(async () => {
          const answer = call(url, "POST", "/orders", { body: placement({ orderId: order }) }).catch(() => undefined)
          const waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
          await untilSo(async () => (await sql(database).rows(waits)).length > 0)
          const exit = stop()
          await untilSo(() => /Requests that are being answered: 1\./.test(output()))
          const ended = exit.then(() => true)
          // Signals that come at once are one, as those of Ctrl-C under npm are.
          const isEnded = async () => {
            process.kill(pid, "SIGTERM")
            return Promise.race([ended, sleep(100, false)])
          }
          await untilSo(isEnded)
          assert.deepStrictEqual(await exit, { code: 143, signal: null })
          assert.isUndefined(await answer)
        })
      ),
      log.withTransaction
    )
  }).pipe(Effect.scoped, Effect.runPromise)
})
