/** Holds the options that say which database to open, and with how many connections; `Database` reads them. */
import type { Duration, Redacted } from "effect"

/** Each role has this many connections; each number may be 1. */
export interface PoolSizes {
  /** This is also the number of batches of appends in flight. */
  readonly append: number
  /** 0 for a process that writes no views: what it asks about them goes over the connections for reading. */
  readonly projections: number
  readonly reads: number
}

/** A streaming replica of the database, which answers queries of views as far as it is fresh enough. */
export interface ReplicaOptions {
  /** The database of the same name on the replica, as `postgres://…`. */
  readonly url: Redacted.Redacted
  /** It has this many connections; 4 by default. */
  readonly connections?: number
  /** A read waits at most this long until the replica is as fresh as it demands; 500 milliseconds by default. */
  readonly wait?: Duration.Input
}

export interface DatabaseOptions {
  readonly url: Redacted.Redacted
  /** Reads of views go to this replica, if they can (PostgreSQL only). */
  readonly replica?: ReplicaOptions
  /** The schema that holds all tables and functions, `ordinal` by default; several may be in one database. */
  readonly schema?: string
  /** The schema that holds the tables of views, so that a role may own these alone; that of all others by default. */
  readonly viewsSchema?: string | undefined
  readonly pools?: Partial<PoolSizes>
  /** Allows PGlite with `NODE_ENV=production`, although PGlite does not survive a power cut. */
  readonly allowPgliteInProduction?: boolean
  /** These settings are added to those of every session, or override them (PostgreSQL only). */
  readonly sessionSettings?: Readonly<Record<string, string>>
  /** Limits the time to make a connection; 2 seconds by default (PostgreSQL only). */
  readonly connectTimeout?: Duration.Input
}

export const defaultPools: PoolSizes = { append: 2, projections: 4, reads: 4 }

export const defaultReplica = { connections: 4, wait: "500 millis" } as const satisfies Omit<ReplicaOptions, "url">
