/**
 * A connection of one's own for as long as something runs. Whatever state it is in afterwards (a COMMIT whose answer
 * never came), it is thrown away in the background: nobody waits for it, and no pool is short of it.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"

export const withConnection = <A, E, R>(
  connect: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>,
  use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.flatMap(Scope.provide(connect, scope), use),
    (scope) => Effect.forkDetach(Scope.close(scope, Exit.void))
  )
