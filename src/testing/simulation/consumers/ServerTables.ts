/**
 * The rows that projections and subscriptions keep in the database of a simulation. `MemoryProjectionStore` works on them as on
 * tables in memory; but each look and each change travels over a session, and a transaction ends with its session.
 *
 * One transaction runs at a time, and others wait for it, as for the lock of a checkpoint. A transaction that never commits
 * has done nothing, whatever became of its node.
 */
import { Context, Effect, Exit } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseUnavailable } from "../../../database/DatabaseErrors.ts"
import type { Memory } from "../../../projection/store/MemoryProjectionStore.ts"
import * as MemoryTables from "../../../projection/store/MemoryTables.ts"
import { connectionError, serverError, type Session, type Sessions } from "../Sessions.ts"
import type { Process } from "../World.ts"

type OfNode = Memory["Service"]["tables"]
export type Tables = Parameters<Parameters<OfNode["read"]>[0]>[0]

/** Milliseconds that the database waits for a lock, and for the end of a transaction; see `Postgres`. */
const lockTimeout = 2_000
const longest = 5_000

/** The transaction that a fiber of a node is in: its session, and what it has written. */
const Current = Context.Reference<{ readonly session: Session; readonly layers: MemoryTables.Layers } | undefined>(
  "ordinal/testing/simulation/ServerTables/Current",
  { defaultValue: () => undefined }
)

/** A statement answers with what its code comes to: what that throws is a fault of the code, and not of the database. */
const settled =
  <A>(evaluate: () => A) =>
  (): Effect.Effect<A> => {
    try {
      return Effect.succeed(evaluate())
    } catch (defect) {
      return Effect.die(defect)
    }
  }

export class ServerTables {
  readonly #committed = MemoryTables.empty(["checkpoints", "parked", "entries"])
  readonly #sessions: Sessions
  readonly #server: Process
  readonly #onCommit: (tables: Tables) => void
  /** The session of the transaction that runs. */
  #holder: Session | undefined
  #waiting: Array<{ readonly session: Session; readonly granted: () => void }> = []

  /** `onCommit` looks at what is committed each time that it may have changed. */
  constructor(sessions: Sessions, server: Process, onCommit: (tables: Tables) => void) {
    this.#sessions = sessions
    this.#server = server
    this.#onCommit = onCommit
  }

  get committed(): Tables {
    return typed(this.#committed)
  }

  /** Gives the tables as a node reaches them. */
  of(process: Process): OfNode {
    const sessions = this.#sessions

    const savepoint = <A, E, R>(session: Session, layers: MemoryTables.Layers, self: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        const own = MemoryTables.onTop(layers)
        return Effect.onExit(Effect.provideService(self, Current, { session, layers: own }), (exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit)) MemoryTables.layDown(own)
          })
        )
      })

    const begun = <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) => {
        const session = sessions.open(process)
        session.onEnd = () => this.#ended(session)
        const layers = MemoryTables.onTop(this.#committed)
        const body = Effect.andThen(this.#lock(session), Effect.provideService(self, Current, { session, layers }))
        return restore(body).pipe(
          Effect.tap(() => sessions.execute(session, () => this.#commit(session, layers))),
          Effect.ensuring(Effect.sync(() => sessions.close(session)))
        )
      })

    const transaction = <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.flatMap(Current, (current) =>
        current === undefined ? begun(self) : savepoint(current.session, current.layers, self)
      )

    const inside = <A>(
      use: (tables: Tables) => A,
      outside: () => Effect.Effect<A, SqlError | DatabaseUnavailable>
    ): Effect.Effect<A, SqlError | DatabaseUnavailable> =>
      Effect.flatMap(Current, (current) => {
        if (current === undefined) return outside()
        const { layers, session } = current
        return Effect.flatten(
          sessions.execute(
            session,
            settled(() => use(typed(layers)))
          )
        )
      })

    const write = <A>(change: (tables: Tables) => A): Effect.Effect<A, SqlError | DatabaseUnavailable> =>
      inside(change, () =>
        Effect.flatten(
          sessions.query(process, () => {
            if (this.#holder !== undefined) return transaction(write(change))
            const changed = settled(() => change(this.committed))()
            this.#onCommit(this.committed)
            return changed
          })
        )
      )

    const tables = {
      read: <A>(look: (tables: Tables) => A) =>
        inside(look, () =>
          Effect.flatten(
            sessions.query(
              process,
              settled(() => look(this.committed))
            )
          )
        ),
      write,
      transaction
    }
    // Tables in memory never fail, so nothing of it is in their type; whoever uses the store knows the failures of SQL.
    return tables as unknown as OfNode
  }

  /** Waits until the transaction of this session is the one that runs. */
  #lock(session: Session): Effect.Effect<void, SqlError> {
    const { process } = session
    const wait = Effect.callback<void, SqlError>((resume) => {
      if (session.isLost) return resume(Effect.fail(connectionError("query")))
      session.onLost = (error) => resume(Effect.fail(error))
      const answer = (effect: Effect.Effect<void, SqlError>) =>
        this.#sessions.world.after(process, this.#sessions.delay(), () => resume(effect))
      if (this.#holder === session) return void answer(Effect.void)
      const granted = () => void answer(Effect.void)
      this.#waiting.push({ session, granted })
      const off = this.#sessions.world.after(this.#server, lockTimeout, () => {
        if (this.#forget(session)) answer(Effect.fail(serverError("55P03", "lock not available")))
      })
      return Effect.sync(off)
    })
    return Effect.flatMap(
      this.#sessions.execute(session, () => !session.isLost && this.#holder === undefined && this.#grant(session)),
      (isGranted) => (isGranted ? Effect.void : wait)
    )
  }

  #grant(session: Session): true {
    this.#holder = session
    this.#sessions.world.after(this.#server, longest, () => {
      if (this.#holder !== session) return
      this.#release()
      this.#sessions.lose(session)
    })
    return true
  }

  #release(): void {
    this.#holder = undefined
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#grant(next.session)
    next.granted()
  }

  #forget(session: Session): boolean {
    const { length } = this.#waiting
    this.#waiting = this.#waiting.filter((one) => one.session !== session)
    return this.#waiting.length < length
  }

  /** Rolls back, unless the commit is still on its way. */
  #ended(session: Session): void {
    this.#forget(session)
    const isWorking = [...session.inFlight].some(({ isDropped }) => !isDropped)
    if (this.#holder === session && !isWorking) this.#release()
  }

  #commit(session: Session, layers: MemoryTables.Layers): void {
    if (this.#holder !== session) throw serverError("57P01", "terminating connection")
    MemoryTables.layDown(layers)
    this.#release()
    this.#onCommit(this.committed)
  }
}

// Each table holds what its name stands for.
const typed = (layers: MemoryTables.Layers): Tables => layers as unknown as Tables
