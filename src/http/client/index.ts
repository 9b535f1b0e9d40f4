/**
 * Entry point `ordinal/client`: the order service of another process. `OrdersClient.layer` provides `Orders` over HTTP, with
 * the same typed errors. It runs wherever `fetch` does: nothing here loads a server, a database or Node.
 */
export * as OrdersClient from "./OrdersClient.ts"
export { Api } from "../api/Api.ts"
export { Orders } from "../../orders/Orders.ts"
