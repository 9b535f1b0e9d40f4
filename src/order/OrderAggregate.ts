/** Tells the kernel how to host an order: its schemas, rules, snapshots and owner. */
import * as Aggregate from "../aggregate/Aggregate.ts"
import { OrderCommand } from "./OrderCommand.ts"
import * as OrderDecider from "./OrderDecider.ts"
import { OrderEvent, orderUpcasters } from "./OrderEvent.ts"
import { OrderId } from "./OrderId.ts"
import type { OrderPolicies } from "./OrderPolicies.ts"
import { OrderRejection } from "./OrderRejection.ts"
import { OrderState } from "./OrderState.ts"

const category = "order"

const definition = ({ decide, evolve, initialState }: OrderDecider.OrderDecider) => ({
  id: OrderId,
  command: OrderCommand,
  event: OrderEvent,
  state: OrderState,
  rejection: OrderRejection,
  initial: initialState,
  decide,
  evolve,
  upcasters: orderUpcasters,
  uncheckedEvents: true,
  snapshot: { every: 200, foldVersion: 2 },
  owner: (state: OrderState) => (state._tag === "Order" ? state.customerId : undefined)
})

/** Makes the aggregate of a shop's policies. */
export const make = (policies: OrderPolicies) =>
  Aggregate.fromDefinition(category, definition(OrderDecider.make(policies)))

/** Orders as an aggregate, under the default policies and without a catalog. `Orders` is the service for callers. */
export class OrderStreams extends Aggregate.Service<OrderStreams>()(category, definition(OrderDecider.OrderDecider)) {}

export const OrderAggregate = OrderStreams.aggregate
