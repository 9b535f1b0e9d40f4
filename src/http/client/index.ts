/**
 * Entry point `ordinal/client`: services of another process. `OrdersClient.layer` provides `Orders` over HTTP, and
 * `AggregateClient.layer` the service of an aggregate, with the same typed errors. It runs wherever `fetch` does: nothing
 * here loads a server, a database or Node. The definitions of the APIs are here too, for clients made of them.
 */
export * as AggregateApi from "../aggregate/AggregateApi.ts"
export * as AggregateClient from "./AggregateClient.ts"
export * as OrdersClient from "./OrdersClient.ts"
export { Api } from "../api/Api.ts"
export { Orders } from "../../orders/Orders.ts"
