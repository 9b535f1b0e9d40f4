/** Defines the queries on orders. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { OrderId } from "../../order/OrderId.ts"
import { OrderCounts } from "../../views/order/OrderQueries.ts"
import { QueryBoundary } from "./Boundary.ts"
import * as AllowedRoles from "./AllowedRoles.ts"
import { CloudEventBatch } from "../wire/CloudEvent.ts"
import * as HttpHeaders from "./HttpHeaders.ts"
import { EventListQuery, OrderCountsQuery, OrderListQuery, pageOf } from "./ListQuery.ts"
import { OrderDocument } from "./OrderDocument.ts"
import { WholeNumber } from "../wire/Codecs.ts"
import { Problems } from "../problems/Problems.ts"
import { queryErrors, readErrors } from "./EndpointErrors.ts"

export const OrderPage = pageOf(OrderDocument).annotate({ identifier: "OrderPage" })

const params = { id: OrderId }

export class OrderQueryApi extends HttpApiGroup.make("orderQueries")
  .add(
    HttpApiEndpoint.get("get", "/orders/:id", {
      params,
      headers: HttpHeaders.read,
      success: [
        HttpApiSchema.WithHeaders(OrderDocument, HttpHeaders.view),
        HttpApiSchema.WithHeaders(HttpHeaders.notModified, HttpHeaders.view)
      ],
      error: [...queryErrors, Problems.OrderNotFound]
    }).annotateMerge(AllowedRoles.ownOrAll("Read an order")),
    HttpApiEndpoint.get("list", "/orders", {
      query: OrderListQuery,
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(OrderPage, HttpHeaders.page),
      error: [...queryErrors, Problems.InvalidCursor]
    }).annotateMerge(AllowedRoles.ownOrAll("List orders")),
    HttpApiEndpoint.get("counts", "/orders/counts", {
      query: OrderCountsQuery,
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(OrderCounts, HttpHeaders.counts),
      error: queryErrors
    }).annotateMerge(AllowedRoles.ownOrAll("Count orders by status, of one customer or of all")),
    HttpApiEndpoint.get("events", "/orders/:id/events", {
      params,
      query: EventListQuery,
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(CloudEventBatch, { link: Schema.optionalKey(Schema.String) }),
      error: [...readErrors, Problems.InvalidToken, Problems.OrderNotFound]
    }).annotateMerge(AllowedRoles.ownOrAll("Read an order's history as CloudEvents: what happened, by whom, and why")),
    HttpApiEndpoint.get("at", "/orders/:id/versions/:version", {
      params: { ...params, version: WholeNumber(0, Number.MAX_SAFE_INTEGER) },
      headers: HttpHeaders.list,
      success: HttpApiSchema.WithHeaders(OrderDocument, HttpHeaders.version),
      error: [...queryErrors, Problems.OrderNotFound, Problems.VersionNotFound]
    }).annotateMerge(AllowedRoles.ownOrAll("Read an order as it was at a version"))
  )
  .middleware(QueryBoundary)
  .annotateMerge(
    OpenApi.annotations({
      title: "Order queries",
      description: "Read orders from the order view, and the audit trail of one order."
    })
  ) {}
