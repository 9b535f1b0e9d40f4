/**
 * Tells whether the caller's fiber is inside a transaction of this database, be it one of the caller's own client (as in
 * `sql.withTransaction(…)`). Two clients are of one database if they give the same answer to `place`.
 */
import { Context, Effect } from "effect"
import type { TransactionConnection } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Database } from "./Database.ts"

/** Effect keeps the key of the innermost transaction under this name, which it does not export. */
const Innermost = Context.Reference<Context.Key<TransactionConnection, TransactionConnection.Service> | undefined>(
  "effect/sql/CurrentTransactionService",
  { defaultValue: () => undefined }
)

/** No statement of PostgreSQL that reads this can fail, so the caller's transaction is not aborted. */
const place = "SELECT current_database() || ' ' || extract(epoch FROM pg_postmaster_start_time()) AS place"

const isNot = Effect.succeed(false)

/** Fails if a client of the two is not one of PostgreSQL, or can't be asked. */
export const isOpen = ({ host, projections, reads }: Database["Service"]): Effect.Effect<boolean, SqlError> =>
  Effect.withFiber((fiber) => {
    const innermost = fiber.getRef(Innermost)
    if (innermost === undefined) return isNot
    const own = [reads, projections, ...(host === undefined ? [] : [host])].map(
      ({ transactionService }) => transactionService.key
    )
    if (own.includes(innermost.key)) return Effect.succeed(true)
    const [connection] = Context.getUnsafe(fiber.context as Context.Context<TransactionConnection>, innermost)
    return Effect.gen(function* () {
      const [theirs] = yield* connection.executeUnprepared(place, [], undefined)
      const [ours] = yield* reads.unsafe<{ readonly place: string }>(place)
      return ours !== undefined && theirs.place === ours.place
    })
  })

/** Tells whether the caller's fiber is inside a transaction of this very client, whose statements then are part of it. */
export const isOf = ({ transactionService }: Database["Service"]["reads"]): Effect.Effect<boolean> =>
  Effect.withFiber((fiber) => Effect.succeed(fiber.getRef(Innermost)?.key === transactionService.key))
