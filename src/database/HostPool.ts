/**
 * Opens the database by connections that the pool of the host's own `PgClient` lends.
 *
 * Each is lent for a while, in which nobody else uses it, and has the settings of the sessions that `Postgres` opens. It is
 * never given back: its session is closed and the host's pool opens another one in its place. So the host meets no session
 * with foreign settings or an open transaction, and none is used here for longer than one of an own pool.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect, Fiber, Option, Pool, Semaphore, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import type { Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import type { DatabaseOptions } from "./DatabaseOptions.ts"
import * as DerivedClient from "./DerivedClient.ts"
import { connectionTTL, sessionSettings } from "./Postgres.ts"
import * as SchemaName from "./SchemaName.ts"

export interface HostPoolOptions extends Omit<DatabaseOptions, "url" | "allowPgliteInProduction"> {
  /** So many projections run here. */
  readonly projections: number
}

/** A host's pool is for other work, too. */
const defaultPools = { append: 2, projections: 1, reads: 2 }

/** This is the size of a pool whose host has not said any. */
const defaultSize = 10

/** The host may have lent all connections to others meanwhile. */
const longestWait = "5 seconds"

/** Says which connections are needed at once. */
const needs = (sizes: typeof defaultPools, projections: number) => {
  const parts = [
    [sizes.append, "to append"],
    [sizes.reads, "to read"],
    [sizes.projections, "to look after projections"],
    [1, "to listen"],
    [projections, "to run projections"],
    [Math.min(projections, 1), "to rebuild one"]
  ] as const
  const used = parts.filter(([count]) => count > 0)
  return {
    count: used.reduce((sum, [count]) => sum + count, 0),
    text: used.map(([count, purpose]) => `${count} ${purpose}`).join(", ")
  }
}

/** Says why the host's pool can't serve; undefined if it can. */
const problemOf = (host: PgClient.PgClient, needed: ReturnType<typeof needs>): string | undefined => {
  const { maxConnections = defaultSize }: PgClient.PgPoolConfig = host.config
  if (maxConnections >= needed.count) return undefined
  return (
    `The pool of the given PgClient has ${maxConnections} connections at most, but ${needed.count} are needed ` +
    `(${needed.text}), besides those of your own program. Give it more by maxConnections, or lower \`pools\`.`
  )
}

/** Waits until the fiber has ended, but for a second at most, also where nothing may be interrupted. */
const settles = (fiber: Fiber.Fiber<unknown>) =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), 1_000)
    fiber.addObserver(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
  })

/** Ends the session: what was begun is rolled back, and a connection that is given back while it is busy gets closed. */
const close = Effect.fnUntraced(function* (connection: Connection) {
  const run = (text: string) => Effect.ignore(connection.executeUnprepared(text, [], undefined))
  yield* settles(yield* Effect.forkDetach(run("ROLLBACK"), { startImmediately: true }))
  yield* Effect.forkDetach(run("SELECT pg_sleep(60)"), { startImmediately: true })
})

/** Makes a connection whose statements fail once `isOver`, and that reports each failure. */
const watched = (connection: Connection, isOver: () => boolean, failed: Effect.Effect<void>): Connection => {
  const over = new SqlError({
    reason: new ConnectionError({ message: "The connection is no longer lent.", operation: "query", cause: undefined })
  })
  const watch = <A>(statement: Effect.Effect<A, SqlError>) =>
    Effect.tapError(
      Effect.suspend(() => (isOver() ? Effect.fail(over) : statement)),
      () => failed
    )
  return {
    execute: (...query) => watch(connection.execute(...query)),
    executeRaw: (...query) => watch(connection.executeRaw(...query)),
    executeStream: (...query) =>
      Stream.suspend(() => (isOver() ? Stream.fail(over) : connection.executeStream(...query))),
    executeValues: (...query) => watch(connection.executeValues(...query)),
    executeValuesUnprepared: (...query) => watch(connection.executeValuesUnprepared(...query)),
    executeUnprepared: (...query) => watch(connection.executeUnprepared(...query))
  }
}

export const make = Effect.fnUntraced(function* (host: PgClient.PgClient, options: HostPoolOptions) {
  const sizes = { ...defaultPools, ...options.pools }
  const needed = needs(sizes, options.projections)
  const problem = problemOf(host, needed)
  if (problem !== undefined) return yield* new DatabaseNotOpened({ reason: "TooFewConnections", problem })
  const reactivity = yield* Reactivity.Reactivity
  const given = { ...sessionSettings, ...options.sessionSettings }
  const inSchema = SchemaName.inSchema(options)

  const notLent = new SqlError({
    reason: new ConnectionError({
      message: `The pool of the given PgClient has not lent a connection in time; ${needed.count} are needed (${needed.text})`,
      operation: "connect",
      cause: undefined
    })
  })

  /** Borrows a connection for as long as the scope is open. `failed` is run when a statement has failed. */
  const borrow = Effect.fnUntraced(function* (failed: (lent: Connection) => Effect.Effect<void> = () => Effect.void) {
    // Waiting for a lone connection is not interruptible; what comes after the scope has closed is released at once.
    const reserving = yield* Effect.forkDetach(host.reserve, { startImmediately: true })
    const connection = yield* Fiber.join(reserving).pipe(
      Effect.timeoutOrElse({
        duration: options.connectTimeout ?? longestWait,
        orElse: () => Effect.fail(notLent)
      }),
      Effect.onError(() => Effect.forkDetach(Fiber.interrupt(reserving)))
    )
    let isOver = false
    yield* Effect.addFinalizer(() => {
      isOver = true
      return close(connection)
    })
    yield* connection.executeUnprepared(
      "SELECT set_config(key, value, false) FROM jsonb_each_text($1::text::jsonb)",
      [JSON.stringify(given)],
      undefined
    )
    const lent: Connection = watched(
      connection,
      () => isOver,
      Effect.suspend(() => failed(lent))
    )
    return lent
  })

  const pool = Effect.fnUntraced(function* (size: number) {
    const lent: Pool.Pool<Connection, SqlError> = yield* Pool.makeWithTTL({
      // A session with which something is wrong is not used again.
      acquire: borrow((connection) => Pool.invalidate(lent, connection)),
      min: 0,
      max: size,
      timeToLive: connectionTTL,
      timeToLiveStrategy: "creation"
    })
    return yield* Effect.flatMap(DerivedClient.make(host, Pool.get(lent)), inSchema)
  })

  const connection = Effect.gen(function* () {
    const lent = yield* borrow()
    const semaphore = yield* Semaphore.make(1)
    return yield* Effect.flatMap(DerivedClient.make(host, Effect.as(semaphore.takeScoped(1), lent)), inSchema)
  }).pipe(Effect.provideService(Reactivity.Reactivity, reactivity))

  return {
    kind: "postgres" as const,
    sessionSettings: given,
    appendConnection: connection,
    appendLanes: sizes.append,
    projectionConnection: connection,
    projections: yield* pool(sizes.projections),
    reads: yield* pool(sizes.reads),
    listener: Option.some(Effect.succeed(host)),
    host
  }
})
