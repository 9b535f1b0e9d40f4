/**
 * One database of MongoDB. Its driver is an optional peer dependency, which is loaded when this is built and never before.
 *
 * Whatever is read or written is acknowledged by a majority of the replica set, so that no election takes it back. A
 * failure is a `SqlError` as that of a lost connection: to all who keep and read views, MongoDB is a database that may be
 * away, and no event is to blame. Only a document that MongoDB can't hold is a defect.
 */
import type * as Library from "mongodb"
import { Effect, Redacted, Schedule, Schema, type Scope } from "effect"
import { ConnectionError, SqlError } from "effect/sql/SqlError"

/** MongoDB can't be used as it is asked for, and trying again changes nothing. */
export class MongoDbNotOpened extends Schema.TaggedError<MongoDbNotOpened>()("MongoDbNotOpened", {
  problem: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return this.problem
  }
}

const library = Effect.tryPromise({
  try: () => import("mongodb"),
  catch: (cause) =>
    new MongoDbNotOpened({
      problem: "MongoDB needs the package mongodb, which can't be loaded. Install it: npm install mongodb@7",
      cause
    })
})

/** A rename does not take this over from the client. */
export const byMajority = { w: "majority", wtimeoutMS: 4_000 } as const

/** These win over what a URL says: reads of a secondary may be older than what was answered before. */
const options: Library.MongoClientOptions = {
  appName: "ordinal",
  readPreference: "primary",
  readConcernLevel: "majority",
  writeConcern: byMajority,
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  // A batch that is slow must not end sooner than its transaction, which makes the next one smaller.
  socketTimeoutMS: 30_000,
  waitQueueTimeoutMS: 2_000,
  maxPoolSize: 16,
  useBigInt64: true
}

/** The driver would take a database named "test" if the URL names none. */
const databaseIn = (url: string, otherwise: string): string => /^[^/]+\/\/[^/]+\/([^/?]+)/.exec(url)?.[1] ?? otherwise

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined

/** A document is too large, for the driver and for the server, or has a value that BSON does not know. */
const isOfDocument = (error: unknown): boolean =>
  error instanceof Error &&
  (["MongoInvalidArgumentError", "BSONError", "BSONOffsetError", "RangeError"].includes(error.name) ||
    [10334, 17419, 17420].includes(codeOf(error) as number))

/** A collection was renamed or dropped while it was read: whoever asks again reads the one in its place. */
const isReplaced = (error: unknown): boolean => [26, 43, 175, 237, 246].includes(codeOf(error) as number)

/** Makes the failure of a database that is away or not in a state to answer. */
export const away = (cause: Error): SqlError =>
  new SqlError({ reason: new ConnectionError({ cause, message: cause.message, operation: "mongodb" }) })

/** Asks MongoDB for something. A change that is given up may be made all the same. */
export const ask = <A>(run: () => Promise<A>): Effect.Effect<A, SqlError> =>
  Effect.tryPromise({ try: run, catch: (cause) => (cause instanceof Error ? cause : new Error(String(cause))) }).pipe(
    Effect.catch((cause) => (isOfDocument(cause) ? Effect.die(cause) : Effect.fail(away(cause))))
  )

/** Does as `ask` does for a read, which is repeated if a rebuild has put another collection in place meanwhile. */
export const askAgain = <A>(run: () => Promise<A>): Effect.Effect<A, SqlError> =>
  ask(run).pipe(Effect.retry({ times: 3, while: ({ reason }) => isReplaced(reason.cause) }))

export interface MongoDb {
  readonly database: Library.Db
  /** Runs reads of which each sees what the one before has seen, whichever server answers. */
  readonly inOrder: <A>(read: (session: Library.ClientSession) => Promise<A>) => Promise<A>
}

/** MongoDB may be away at the start. The driver gives its first connection up for good, so that is tried again until it works. */
export const open = Effect.fnUntraced(function* (
  url: Redacted.Redacted
): Effect.fn.Return<MongoDb, MongoDbNotOpened, Scope.Scope> {
  const { MongoClient } = yield* library
  const text = Redacted.value(url)
  const client = yield* Effect.acquireRelease(
    Effect.try({
      try: () => new MongoClient(text, options),
      catch: (cause) => {
        const reason = cause instanceof Error ? cause.message : String(cause)
        return new MongoDbNotOpened({ problem: `The URL of MongoDB can't be used: ${reason}`, cause })
      }
    }),
    (client) => Effect.ignore(Effect.tryPromise(() => client.close())).pipe(Effect.timeoutOption("5 seconds"))
  )
  yield* Effect.tryPromise(() => client.connect()).pipe(Effect.retry(Schedule.spaced("500 millis")), Effect.forkScoped)
  return {
    database: client.db(databaseIn(text, "ordinal")),
    inOrder: (read) => client.withSession({ causalConsistency: true }, read)
  }
})
