/** The pool of a program that hosts this one, and the database that is opened by it. */
import { PgClient } from "@effect/sql-pg"
import { Layer, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"
import type { HostPoolOptions } from "../../src/database/HostPool.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import * as SqlEventStore from "../../src/eventstore/SqlEventStore.ts"
import { patientConnections } from "../clocks/Patience.ts"

export const applicationName = "host"

/** The host's own client, to be provided to more than one layer. */
export const hostLayer = (url: string, options: PgClient.PgPoolConfig = {}) =>
  Layer.fresh(PgClient.layer({ ...patientConnections, applicationName, ...options, url: Redacted.make(url) }))

/** The database of a host's client, without any size said. */
export const hostDatabase = (options: Partial<HostPoolOptions> = {}) =>
  Database.layerHost({ ...patientConnections, projections: 0, ...options })

/** The log on a host's client. */
export const hostLog = (url: string, options: Partial<HostPoolOptions> = {}, host: PgClient.PgPoolConfig = {}) =>
  SqlEventStore.layer.pipe(
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(hostDatabase(options)),
    Layer.provideMerge(hostLayer(url, host))
  )
