/** A log tells its id, its last position, and the policy of its oldest orders. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

export interface LogState {
  readonly logId: string
  readonly position: bigint
  readonly shipRequires: string | null
}

export const read = (sql: SqlClient.SqlClient) =>
  sql<LogState>`SELECT log_id AS "logId", "position",
      (SELECT founding_ship_requires FROM ordinal.order_policies) AS "shipRequires"
    FROM ordinal.log_head WHERE singleton`.pipe(
    Effect.flatMap(([state]) =>
      state === undefined ? Effect.die("The table log_head has no row.") : Effect.succeed(state)
    )
  )

/** Runs a statement that may take long, since it reads the whole log; it is told so in a transaction of its own. */
export const unhurried = <A, E, R>(sql: SqlClient.SqlClient, work: Effect.Effect<A, E, R>) =>
  sql.withTransaction(
    Effect.andThen(
      sql`SELECT set_config('statement_timeout', '0', true), set_config('enable_seqscan', 'on', true)`,
      work
    )
  )

/** Is told how many events of how many are done. */
export type OnProgress = (done: number, of: number) => Effect.Effect<void>

/** It tells how much was exported or imported. */
export interface Transferred {
  readonly logId: string
  readonly events: number
  readonly receipts: number
  /** So many of the events were there before. */
  readonly resumedAt: number
}
