/**
 * Entry point `ordinal/testing`: the kit that aggregates are tested with. `given(…).when(…)` decides without a kernel or a
 * log; `deciderLaws` hold for every aggregate; `EventStoreContract` for every event store. `FaultyEventStore`
 * fails when a test says so. Needs `@effect/vitest`.
 */
export { deciderLaws, type Law, type Subject } from "./DeciderLaws.ts"
export * as EventStoreContract from "./EventStoreContract.ts"
export * as FaultyEventStore from "./FaultyEventStore.ts"
export { fold, type Given, given, timeOf } from "./Given.ts"
export { orderCommand, orderCommands, orderId, placeOrder } from "./OrderCommands.ts"
export { orderLaws } from "./OrderLaws.ts"
export { type Step, type Trace, trace } from "./Trace.ts"
