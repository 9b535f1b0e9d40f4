/**
 * Entry point `ordinal/kernel`: what hosts aggregates and projections of your own, without orders. `EventSourcing` wires the
 * kernel once for each kind of database; the database is here too, for a projection's queries and a host's own layers.
 */
export * as EventSourcing from "./EventSourcing.ts"
export { Database } from "../database/Database.ts"
export { DatabaseNotOpened, DatabaseUnavailable } from "../database/DatabaseErrors.ts"
export type { DatabaseOptions, PoolSizes } from "../database/DatabaseOptions.ts"
export * as Migrations from "../database/Migrations.ts"
