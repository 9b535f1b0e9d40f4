/**
 * Entry point `ordinal/kernel`: what hosts aggregates and projections of your own, without orders. `EventSourcing` wires the
 * kernel once for each kind of database; the database is here too, for a projection's queries and a host's own layers.
 * `Commands` and `Aggregates` are below `Aggregate.Service`, for who needs a receipt of their own, or many types in one call.
 */
export * as EventSourcing from "./EventSourcing.ts"
export { Aggregates } from "../aggregate/Aggregates.ts"
export type { SendOptions } from "../aggregate/actor/Envelope.ts"
export { fingerprint } from "../aggregate/idempotency/CommandIdentity.ts"
export {
  type CommandOptions,
  Commands,
  type ReceiptBase,
  type Submission,
  type Submitted
} from "../aggregate/idempotency/Commands.ts"
export { type Snapshot, Snapshots } from "../aggregate/Snapshots.ts"
export * as SqlSnapshots from "../aggregate/SqlSnapshots.ts"
export { Database } from "../database/Database.ts"
export { DatabaseNotOpened, DatabaseUnavailable } from "../database/DatabaseErrors.ts"
export type { DatabaseOptions, PoolSizes } from "../database/DatabaseOptions.ts"
export * as Migrations from "../database/Migrations.ts"
