/** Tells the kernel how to host an order: its stream's category, rules, stored form, snapshots and owner. */
import type { Aggregate } from "../aggregate/Aggregate.ts"
import * as EventCodec from "../aggregate/EventCodec.ts"
import type { OrderCommand } from "./OrderCommand.ts"
import * as OrderDecider from "./OrderDecider.ts"
import { OrderEvent, orderUpcasters } from "./OrderEvent.ts"
import { defaultPolicies, type OrderPolicies } from "./OrderPolicies.ts"
import type { OrderRejection } from "./OrderRejection.ts"
import { OrderState } from "./OrderState.ts"

export type OrderAggregate = Aggregate<OrderState, OrderCommand, OrderEvent, OrderRejection>

export const make = (policies: OrderPolicies): OrderAggregate => ({
  category: "order",
  decider: OrderDecider.make(policies),
  codec: EventCodec.make(OrderEvent, orderUpcasters, { disableChecks: true }),
  snapshots: { every: 200, schema: OrderState, foldVersion: 2 },
  owner: (state) => (state._tag === "Order" ? state.customerId : undefined)
})

export const OrderAggregate: OrderAggregate = make(defaultPolicies)
