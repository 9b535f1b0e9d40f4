/**
 * Entry point `ordinal/eventstore`: the log itself. `EventStore` appends to streams and reads them, or all of them in the
 * order of their positions; in memory or in a database. `LogTail` follows what is appended, by any process.
 */
export { CommandRetention } from "./CommandRetention.ts"
export * from "./EventStore.ts"
export * from "./EventStoreErrors.ts"
export * as MemoryEventStore from "./MemoryEventStore.ts"
export * as SqlEventStore from "./SqlEventStore.ts"
export * as StreamId from "./StreamId.ts"
export type { StreamOrOwner } from "./tail/EventWaiters.ts"
export { LogWentBack } from "./tail/LogErrors.ts"
export { LogTail } from "./tail/LogTail.ts"
export type { EventPage } from "./tail/RecentEvents.ts"
export * as UuidV7 from "./UuidV7.ts"
