import { Effect, Layer, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"
import type { DatabaseOptions } from "../../src/database/DatabaseOptions.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import * as SqlEventStore from "../../src/eventstore/SqlEventStore.ts"
import { freshDatabase } from "../vitest/FreshDatabase.ts"
import { patientConnections } from "../clocks/Patience.ts"

/** Makes a migrated database with its log, at a URL. */
export const logLayer = (url: string, options: Omit<DatabaseOptions, "url"> = {}) =>
  SqlEventStore.layer.pipe(
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(Database.layer({ ...patientConnections, ...options, url: Redacted.make(url) }))
  )

/** Makes the log in a new PostgreSQL database. */
export const freshLogLayer = (options: Omit<DatabaseOptions, "url"> = {}) =>
  Layer.unwrap(Effect.map(freshDatabase, (url) => logLayer(url, options)))
