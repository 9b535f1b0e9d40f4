/** The options that say which database to open, and with how many connections. `Database` reads them. */
import type { Duration, Redacted } from "effect"

/** The number of connections per role; each may be 1. */
export interface PoolSizes {
  /** Is also the number of batches of appends in flight. */
  readonly append: number
  readonly projections: number
  readonly reads: number
}

export interface DatabaseOptions {
  readonly url: Redacted.Redacted
  readonly pools?: Partial<PoolSizes>
  /** Must be set to use PGlite with `NODE_ENV=production`, because PGlite does not survive a power cut. */
  readonly allowPgliteInProduction?: boolean
  /** Are added to the session settings of every connection, or override them (PostgreSQL only). */
  readonly sessionSettings?: Readonly<Record<string, string>>
  /** Limits the time to make a connection; 2 seconds by default (PostgreSQL only). */
  readonly connectTimeout?: Duration.Input
}

export const defaultPools: PoolSizes = { append: 2, projections: 4, reads: 4 }
