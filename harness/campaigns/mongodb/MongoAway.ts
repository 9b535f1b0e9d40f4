/**
 * A server whose order view is in MongoDB, which goes away, again and again: killed, or paused so that it does not answer.
 * Commands have to be taken all the while, queries are answered 503 and say when to ask again, and the view comes back by
 * itself, with nothing parked.
 */
import type { Projection } from "../../../src/projection/Projection.ts"
import { call, orderId, type Receipt, slug } from "../../clients/HttpClient.ts"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { now } from "../../clocks/RunningTime.ts"
import { until } from "../../clocks/Until.ts"
import { placement } from "../../fixtures/Shop.ts"
import * as KeptView from "../../judges/KeptView.ts"
import * as ViewJudge from "../../judges/ViewJudge.ts"
import { start } from "../../servers/ServerProcess.ts"
import { open } from "../../servers/Sql.ts"
import type { MongoServer } from "../../services/MongoServer.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly mongoUrl: string
  readonly rounds: number
  readonly projection: Projection
}

export const run = async (server: MongoServer, { databaseUrl, mongoUrl, projection, rounds }: Plan) => {
  const sql = open(databaseUrl)
  const view = KeptView.inMongoDb(mongoUrl, projection)
  const faults: Array<string> = []
  const back: Array<number> = []
  // MongoDB may be away when a server starts.
  await server.kill()
  const { adminUrl, kill, url } = await start({ DATABASE_URL: databaseUrl, ...view.settings })
  try {
    await OrderLoad.fill(url)
    const statusOf = async () => {
      const { body } = await call(adminUrl, "GET", "/admin/projections")
      const all = (Array.isArray(body) ? body : body.data) as ReadonlyArray<{
        readonly name: string
        readonly status: string
      }>
      return all.find(({ name }) => name === view.name)?.status
    }
    for (let round = 0; round <= rounds; round++) {
      const isPaused = round % 2 === 1
      if (round > 0) await (isPaused ? server.pause() : server.kill())
      const id = orderId()
      const placed = await call(url, "POST", "/orders", { body: { ...placement(), orderId: id } })
      if (placed.status !== 202) faults.push(`without MongoDB, POST /orders answers ${placed.status} ${slug(placed)}`)
      const { position } = placed.body as Receipt
      const token = placed.headers.get("consistency-token") ?? ""
      for (const path of [`/orders/${id}`, "/orders?limit=5", "/orders/counts"]) {
        const answer = await call(url, "GET", path)
        if (answer.status !== 503 || !(Number(answer.headers.get("retry-after")) > 0)) {
          faults.push(`without MongoDB, GET ${path} answers ${answer.status} ${slug(answer)}`)
        }
      }
      await until(statusOf, (status) => status === "retrying", { what: "The status retrying", pause: 20 })
      if (isPaused) server.resume()
      else await server.restart()
      const began = now()
      const answer = await until(
        () => call(url, "GET", `/orders/${id}`, { headers: { "consistency-token": token, prefer: "wait=30" } }),
        ({ status }) => status === 200,
        { what: `The order at ${position}`, pause: 20 }
      )
      if (answer.body.version !== 2) faults.push(`${id} has version ${answer.body.version}`)
      back.push(Math.round(now() - began))
    }
    await ViewJudge.caughtUp(sql, view.name)
    const parked = await sql.rows(`SELECT stream_id FROM ordinal.parked_streams WHERE projection = '${view.name}'`)
    if (parked.length > 0) faults.push(`${parked.length} streams were parked while MongoDB was away`)
    const { faults: differences, orders } = await ViewJudge.judge(sql, view.rows())
    return { faults: [...faults, ...differences], orders, back }
  } finally {
    await kill()
    await sql.close()
  }
}
