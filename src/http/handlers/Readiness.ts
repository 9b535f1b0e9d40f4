/** Whether this process should be sent requests: the database is reachable and migrated, and the process is not draining. */
import { Context, type Effect } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { Draining } from "../../aggregate/CommandErrors.ts"

export class Readiness extends Context.Service<
  Readiness,
  {
    /** Bounded: a health check must answer before its caller gives up. */
    readonly check: Effect.Effect<void, DatabaseUnavailable | Draining>
  }
>()("ordinal/http/handlers/Readiness") {}
