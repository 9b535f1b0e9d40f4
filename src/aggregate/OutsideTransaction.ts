/**
 * Refuses a command that is sent inside a transaction of the log's database: an append is a transaction of its own, so what
 * it stores would stay when the caller's transaction is rolled back.
 */
import { Effect } from "effect"
import { EventStore } from "../eventstore/EventStore.ts"
import { InvalidRequest } from "./InvalidRequest.ts"

const refused = InvalidRequest.of(
  "transaction",
  "A command is stored by a transaction of its own and can't be part of yours; send it before the transaction or after it"
)

export const make = Effect.map(
  EventStore,
  ({ inTransaction = Effect.succeed(false) }) =>
    <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | InvalidRequest, R> =>
      Effect.flatMap(inTransaction, (isInside): Effect.Effect<A, E | InvalidRequest, R> =>
        isInside ? Effect.fail(refused) : command
      )
)
