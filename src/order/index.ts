/**
 * Entry point `ordinal/order`: an order as pure data and rules. Commands, events, state, rejections, and the decider that
 * ties them; the aggregate that the kernel hosts; ids and money. Nothing here does I/O.
 */
export * from "./Line.ts"
export * from "./Money.ts"
export { OrderAggregate, OrderStreams } from "./OrderAggregate.ts"
export * from "./OrderCommand.ts"
export { OrderDecider } from "./OrderDecider.ts"
export * from "./OrderEvent.ts"
export * from "./OrderId.ts"
export { OrderPolicies } from "./OrderPolicies.ts"
export * from "./OrderRejection.ts"
export * from "./OrderRequest.ts"
export * from "./OrderState.ts"
export { OrderStatus, PaymentStatus } from "./OrderStatus.ts"
export { OrderTotals } from "./OrderTotals.ts"
export * from "./Text.ts"
export * from "./rules/RejectionsOf.ts"
