/**
 * The kernel's service: sends commands to aggregates and reads their states, each through the one actor of its stream.
 *
 * `send` is the seam behind which a clustered runtime can route to the node that owns the id.
 */
import { Context, Effect, Layer } from "effect"
import type { EventStore } from "../eventstore/EventStore.ts"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import type { ActorReport } from "./actor/ActorCache.ts"
import * as ActorRegistry from "./actor/ActorRegistry.ts"
import type { Accepted, Keyed, KeyedError, SendOptions } from "./actor/Envelope.ts"
import type { Aggregate } from "./Aggregate.ts"
import type { GuardMoved, SendError, Unavailable } from "./CommandErrors.ts"
import * as OutsideTransaction from "./OutsideTransaction.ts"
import type { Snapshots } from "./Snapshots.ts"
import * as Span from "../telemetry/Span.ts"

export class Aggregates extends Context.Service<
  Aggregates,
  {
    /**
     * Decides and durably stores one command, and answers the state that it led to.
     *
     * Fails with the domain's own rejection, or with
     * - `VersionMismatch` if the precondition does not hold: read the state and decide anew;
     * - `GuardMoved` if there are `guards` and one does not hold: read that stream and make the command anew, or let
     *   `Commands.submit` do so;
     * - `InvalidRequest` if the id or an option can't be stored: correct it; or if the command is sent inside a transaction
     *   of the same database (`sql.withTransaction`), which it can't be part of: send it before the transaction or after it;
     * - `ConcurrencyConflict` if races against other processes were lost until the command deadline (5 s by default):
     *   send the command again, since nothing was stored;
     * - `OutcomeUnknown` if the command may or may not be stored: read the state before sending it again, or use
     *   `Commands.submit` with an idempotency key;
     * - another of `Unavailable`: nothing was stored; send the command again after `retryAfter` seconds.
     *
     * A defect in `decide` or `evolve` dies in the caller's fiber; five of them within 30 s suspend the id for 30 s.
     */
    send<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string,
      command: Command,
      options?: SendOptions
    ): Effect.Effect<Accepted<State, Event>, Rejection | SendError | GuardMoved>

    /**
     * Sends a command that may come again: once accepted, its id, fingerprint and receipt are stored by the same
     * statement as its events. `Commands.submit` does the rest of what such a command needs.
     *
     * Fails as `send` does; with `CommandAlreadyAccepted`, which carries the stored receipt, if the command was accepted
     * before; or with `CommandIdReused` if its id was used with another fingerprint.
     */
    sendKeyed<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string,
      command: Command,
      keyed: Keyed<State, Event> & { readonly commandId: string },
      options?: SendOptions
    ): Effect.Effect<Accepted<State, Event>, Rejection | SendError | GuardMoved | KeyedError>

    /**
     * Answers the newest committed state. The read is linearizable: it goes through the mailbox like a command, and its
     * version is checked against the log. `commandId` is an id of the read itself, and `events` is empty.
     *
     * Fails with one of `Unavailable`: read again after `retryAfter` seconds.
     */
    read<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string
    ): Effect.Effect<Accepted<State, Event>, Unavailable>

    /** Reads several ids at once, in their order; all reads are enqueued before the first is waited for. Fails as `read`. */
    readAll<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      ids: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<Accepted<State, Event>>, Unavailable>

    /** The number of actors in memory. */
    readonly residents: Effect.Effect<number>

    /** Reports on the actors of this process, with at most `busiest` of the busiest ones by name. */
    report(busiest: number): Effect.Effect<ActorReport>
  }
>()("ordinal/aggregate/Aggregates") {
  static readonly layer: Layer.Layer<Aggregates, never, EventStore | LogTail | Snapshots> = Layer.effect(
    Aggregates,
    Effect.suspend(() => make)
  )
}

const notOfReads = [
  "ConcurrencyConflict",
  "VersionMismatch",
  "GuardMoved",
  "InvalidRequest",
  "CommandIdReused",
  "CommandAlreadyAccepted"
] as const

const make = Effect.gen(function* () {
  const { enqueue, report, residents } = yield* ActorRegistry.make
  const outsideTransaction = yield* OutsideTransaction.make

  const read = <State, Command, Event, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    id: string
  ): Effect.Effect<Accepted<State, Event>, Unavailable> => {
    const reads = aggregate as Aggregate<State, Command, Event, never>
    return Effect.suspend(() => enqueue(reads, id, {})).pipe(
      // Nothing is decided, so nothing is rejected; nothing is appended, so no race is lost.
      Effect.catchTag(notOfReads, Effect.die)
    )
  }

  return Aggregates.of({
    send: (aggregate, id, value, options) =>
      Span.use("Aggregates.send", (span) => enqueue(aggregate, id, { command: { value }, options, span })).pipe(
        outsideTransaction,
        // Without a key there is nothing that could have been stored under it.
        Effect.catchTag(["CommandIdReused", "CommandAlreadyAccepted"], Effect.die)
      ),
    sendKeyed: (aggregate, id, value, keyed, options) =>
      outsideTransaction(
        Span.use("Aggregates.send", (span) => enqueue(aggregate, id, { command: { value }, keyed, options, span }))
      ),
    read,
    readAll: (aggregate, ids) =>
      Effect.all(
        ids.map((id) => read(aggregate, id)),
        { concurrency: "unbounded" }
      ),
    residents,
    report
  })
})
