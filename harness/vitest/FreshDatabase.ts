import { Effect } from "effect"
import { inject } from "vitest"
import { fresh } from "../servers/FreshDatabase.ts"

/** Makes a new, empty PostgreSQL database; its URL. Dropped when the scope closes. */
export const freshDatabase = Effect.suspend(() => fresh(inject("postgresUrl")))
