/**
 * Entry point `ordinal/testing`: the kit that aggregates are tested with. `given(…).when(…).then(…)` is an example;
 * `AggregateLaws` derives what must hold for every script of commands, `ProjectionLaws` for every log; `EventStoreContract`
 * holds for every event store, and `FaultyEventStore` fails when a test says so; `Simulation` runs several nodes of the kernel while everything goes wrong.
 * Needs `@effect/vitest`.
 */
export * as AggregateLaws from "./laws/AggregateLaws.ts"
export type { Law as AggregateLaw } from "./laws/Law.ts"
export type { AggregateClass, Codec, Tagged } from "./laws/Subject.ts"
export { LawBroken } from "./laws/LawBroken.ts"
export * as ProjectionLaws from "./projections/ProjectionLaws.ts"
export type { CommandReach, Reach } from "./laws/Reach.ts"
export * as EventStoreContract from "./EventStoreContract.ts"
export * as FaultyEventStore from "./FaultyEventStore.ts"
export { type Decided, fold, type Given, given, timeOf } from "./Given.ts"
export { orderCommand, orderCommands, orderId, placeOrder } from "./OrderCommands.ts"
export { type OrderLaw, orderLaws, ordersUnder } from "./OrderLaws.ts"
export * as Simulation from "./simulation/Simulation.ts"
export { type Step, type Trace, trace } from "./Trace.ts"
