// The peer: Emmett's PostgreSQL event store behind Express, written as its documentation shows.
import express from "express"
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql"
import { CommandHandler } from "@event-driven-io/emmett"
import { randomUUID } from "node:crypto"

const store = getPostgreSQLEventStore(process.env.DATABASE_URL)
if (store.schema?.migrate) await store.schema.migrate()
const evolve = (state, event) => ({ ...event.data, events: (state.events ?? 0) + 1 })
const initialState = () => ({ events: 0 })
const handle = CommandHandler({ evolve, initialState })

const app = express()
app.use(express.json())
app.post("/orders", (request, response, next) => {
  const orderId = randomUUID()
  const event = { type: "OrderPlaced", data: { orderId, ...request.body } }
  handle(store, `order-${orderId}`, () => [event])
    .then((result) => response.status(202).json({ orderId, version: String(result.nextExpectedStreamVersion) }))
    .catch(next)
})
app.get("/orders/:id", (request, response, next) => {
  store
    .aggregateStream(`order-${request.params.id}`, { evolve, initialState })
    .then(({ state }) => response.json(state))
    .catch(next)
})
const server = app.listen(0, "127.0.0.1", () => process.send(server.address().port))
