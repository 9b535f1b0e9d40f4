/** Says which database to open, and with how many connections. */
import type { Duration, Redacted } from "effect"

/** Connections per role; each may be 1. */
export interface PoolSizes {
  /** Also the number of append batches in flight. */
  readonly append: number
  readonly projections: number
  readonly reads: number
}

export interface DatabaseOptions {
  readonly url: Redacted.Redacted
  readonly pools?: Partial<PoolSizes>
  /** PGlite does not survive a power cut; with `NODE_ENV=production` it needs this. */
  readonly allowPgliteInProduction?: boolean
  /** Added to, or overriding, the session settings of every connection (PostgreSQL only). */
  readonly sessionSettings?: Readonly<Record<string, string>>
  /** How long making a connection may take until it is given up; 2 seconds by default (PostgreSQL only). */
  readonly connectTimeout?: Duration.Input
}

export const defaultPools: PoolSizes = { append: 2, projections: 4, reads: 4 }
