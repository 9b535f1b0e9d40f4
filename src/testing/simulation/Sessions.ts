/**
 * The connections between nodes and the database of a simulation. A statement arrives, takes effect in one step, and its
 * answer travels back; on the way it may be lost, late, or overtaken.
 *
 * Whatever reaches a node runs as a task of that node, so it does nothing if the node is dead.
 */
import { Effect, Result } from "effect"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { Faults } from "./Faults.ts"
import type { Process, World } from "./World.ts"

export const connectionError = (operation: "connect" | "query") =>
  new SqlError({
    reason: new ConnectionError({ message: "The simulated connection is lost.", operation, cause: undefined })
  })

/** Makes an error as the server sends it, by its SQLSTATE. */
export const serverError = (code: string, message: string) =>
  new SqlError({
    reason: new UnknownError({ message, operation: "query", cause: { code, severity: "ERROR", message } })
  })

/** Milliseconds; see `SqlEventStore`. */
const queryTimeout = 6_000

/** The probabilities that the database goes away before anybody learns what a statement did, and that its answer is slow. */
interface Odds {
  readonly goesAway: number
  readonly slow: number
}

/** Others go on behind a statement that writes while its writer does not know yet, so that this happens often. */
const ofSession: Odds = { goesAway: 0.01, slow: 0.4 }
const ofPool: Odds = { goesAway: 0.003, slow: 0.15 }

interface Statement {
  /** It will not take effect. */
  isDropped: boolean
  readonly fail: (error: SqlError) => void
}

export interface Session {
  readonly process: Process
  readonly inFlight: Set<Statement>
  isLost: boolean
  /** Is called in the process, when it learns that the session is lost. */
  onLost: ((error: SqlError) => void) | undefined
  /** Is called in the database when the session ends; what is on its way may take effect after that. */
  onEnd: (() => void) | undefined
}

export class Sessions {
  readonly world: World
  readonly faults: Faults
  /** The number of statements that have not arrived yet. */
  #underWay = 0
  /** Who waits for a connection, an answer, or to learn that the connection is lost. */
  readonly #waiting = new Set<{ readonly process: Process }>()
  readonly #server: Process
  readonly #sessions = new Set<Session>()
  #awayUntil = 0

  constructor(world: World, faults: Faults, server: Process) {
    this.world = world
    this.faults = faults
    this.#server = server
  }

  /** Tells whether no statement is under way, and nobody waits for an answer or a connection. */
  get areQuiet(): boolean {
    return this.#underWay === 0 && ![...this.#waiting].some(({ process }) => process.isAlive)
  }

  /** Opens a session; fails while the database is away. */
  connect(process: Process): Effect.Effect<Session, SqlError> {
    return Effect.callback((resume) => {
      const { world } = this
      const waiting = { process }
      this.#waiting.add(waiting)
      const cancel = world.after(process, this.delay(), () => {
        this.#waiting.delete(waiting)
        if (world.now < this.#awayUntil || this.faults.strikes("connection", 0.02)) {
          return resume(Effect.fail(connectionError("connect")))
        }
        resume(Effect.succeed(this.open(process)))
      })
      return Effect.sync(() => {
        this.#waiting.delete(waiting)
        cancel()
      })
    })
  }

  /** Takes a session of a pool. */
  open(process: Process): Session {
    const session: Session = { process, inFlight: new Set(), isLost: false, onLost: undefined, onEnd: undefined }
    this.#sessions.add(session)
    return session
  }

  close(session: Session): void {
    session.isLost = true
    this.#sessions.delete(session)
    for (const statement of session.inFlight) statement.isDropped ||= this.world.chance(0.5)
    session.onEnd?.()
  }

  /** Breaks a session, of which both ends learn; its statements take effect or not. */
  lose(session: Session): void {
    if (session.isLost) return
    this.close(session)
    for (const { fail } of session.inFlight) fail(connectionError("query"))
    const { onLost, process } = session
    if (onLost !== undefined) this.world.after(process, this.delay(), () => onLost(connectionError("query")))
  }

  loseAll(of?: Process): void {
    for (const session of this.#sessions) if (of === undefined || session.process === of) this.lose(session)
  }

  loseOne(): void {
    if (this.#sessions.size > 0) this.lose(this.world.pick([...this.#sessions]))
  }

  /** The database goes away for a while, as one that crashes and comes up again; or for longer than a command may take. */
  goAway(): void {
    const { world } = this
    this.#awayUntil = world.now + (world.chance(0.4) ? 4_000 + world.random() * 5_000 : world.random() * 2_000)
    this.loseAll()
  }

  comeBack(): void {
    this.#awayUntil = 0
  }

  /** Executes a statement over a session: `evaluate` runs at the moment at which it takes effect. */
  execute<A>(session: Session, evaluate: () => A): Effect.Effect<A, SqlError> {
    return Effect.callback((resume) => {
      if (session.isLost) return resume(Effect.fail(connectionError("query")))
      const cancel = this.#send(session, evaluate, ofSession, (answer) =>
        resume(Result.isSuccess(answer) ? Effect.succeed(answer.success) : Effect.fail(answer.failure))
      )
      return Effect.sync(cancel)
    })
  }

  /**
   * Sends a statement, and calls `done` in its process with what the server says, unless the statement is cancelled.
   */
  #send<A>(
    session: Session,
    evaluate: () => A,
    { goesAway, slow }: Odds,
    done: (answer: Result.Result<A, SqlError>) => void
  ): () => void {
    const { process } = session
    const { faults, world } = this
    const waiting = { process }
    this.#waiting.add(waiting)
    let isAnswered = false
    const answer = (result: Result.Result<A, SqlError>) => {
      if (isAnswered) return
      isAnswered = true
      world.after(process, this.delay(slow), () => {
        this.#waiting.delete(waiting)
        if (session.inFlight.delete(statement)) done(result)
      })
    }
    const statement: Statement = { isDropped: false, fail: (error) => answer(Result.fail(error)) }
    session.inFlight.add(statement)
    this.#underWay += 1
    world.after(this.#server, this.delay(), () => {
      this.#underWay -= 1
      if (statement.isDropped) return
      if (faults.strikes("connection", 0.02)) {
        statement.isDropped = true
        return this.lose(session)
      }
      if (faults.strikes("outage", 0.01)) return answer(Result.fail(serverError("55P03", "lock not available")))
      const made = this.#evaluate(evaluate)
      if (faults.strikes("connection", 0.02)) this.lose(session)
      if (faults.strikes("outage", goesAway)) this.goAway()
      answer(made)
    })
    // A cancelled statement may be over before it hears of that.
    return () => {
      this.#waiting.delete(waiting)
      session.inFlight.delete(statement)
      statement.isDropped ||= world.chance(0.5)
    }
  }

  #evaluate<A>(evaluate: () => A): Result.Result<A, SqlError> {
    try {
      return Result.succeed(evaluate())
    } catch (error) {
      if (error instanceof SqlError) return Result.fail(error)
      throw error
    }
  }

  /** Reads or writes over some session of a pool, and gives up after 6 s, as the SQL adapters do. */
  query<A>(process: Process, evaluate: () => A): Effect.Effect<A, DatabaseUnavailable> {
    return Effect.callback((resume) => {
      const unavailable = Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      if (this.world.now < this.#awayUntil) return resume(unavailable)
      const session = this.open(process)
      const off = this.world.after(process, queryTimeout, () => {
        cancel()
        this.close(session)
        resume(unavailable)
      })
      const cancel = this.#send(session, evaluate, ofPool, (answer) => {
        off()
        this.close(session)
        resume(Result.isSuccess(answer) ? Effect.succeed(answer.success) : unavailable)
      })
      return Effect.sync(() => {
        off()
        cancel()
        this.close(session)
      })
    })
  }

  /** The milliseconds that something takes on its way. */
  delay(slow = 0.15): number {
    const { faults, world } = this
    if (faults.strikes("delay", 0.005)) return world.random() * 8_000
    if (faults.strikes("delay", slow)) return world.random() * 150
    return 0.1 + world.random() * 1.5
  }
}
