// The peer: Emmett's PostgreSQL event store behind Express, written as its documentation shows.
import express from "express"
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql"
import { CommandHandler } from "@event-driven-io/emmett"
import { randomUUID } from "node:crypto"

const store = getPostgreSQLEventStore(process.env.DATABASE_URL)
if (store.schema?.migrate) await store.schema.migrate()
const evolve = (state, event) =>
  event.type === "OrderConfirmed" ? { ...state, confirmed: true } : { ...event.data, confirmed: false }
const initialState = () => ({})
const handle = CommandHandler({ evolve, initialState })
const accepted = (response, orderId) => (result) =>
  response.status(202).json({ orderId, version: String(result.nextExpectedStreamVersion) })

const app = express()
app.use(express.json())
app.post("/orders", (request, response, next) => {
  const orderId = randomUUID()
  const event = { type: "OrderPlaced", data: { orderId, ...request.body } }
  handle(store, `order-${orderId}`, () => [event])
    .then(accepted(response, orderId))
    .catch(next)
})
app.post("/orders/:id/confirm", (request, response, next) => {
  const orderId = request.params.id
  const confirm = (state) => (state.confirmed ? [] : [{ type: "OrderConfirmed", data: { orderId } }])
  handle(store, `order-${orderId}`, confirm).then(accepted(response, orderId)).catch(next)
})
app.get("/orders/:id", (request, response, next) => {
  store
    .aggregateStream(`order-${request.params.id}`, { evolve, initialState })
    .then(({ state }) => response.json(state))
    .catch(next)
})
const server = app.listen(0, "127.0.0.1", () => process.send(server.address().port))
