/**
 * Says whether this process should be sent requests: its database is migrated and stores events, and it is not
 * shutting down.
 */
import { Context, type Effect } from "effect"
import type { Draining } from "../../aggregate/CommandErrors.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"

export class Readiness extends Context.Service<
  Readiness,
  {
    /** Ends in bounded time, since a health check must answer before its caller gives up. */
    readonly check: Effect.Effect<void, DatabaseUnavailable | Draining>
  }
>()("ordinal/http/handlers/Readiness") {}
