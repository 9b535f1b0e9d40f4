/**
 * Commands as callers send them: submitted to an aggregate, with an idempotency key if they may come again, and answered
 * with a receipt.
 *
 * The receipt of a command with a key is stored with its events, by the same statement; a repeat is answered with that
 * receipt. Every command is timed and counted by its outcome.
 */
import { Clock, Context, Duration, Effect, Layer } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { Accepted, SendOptions } from "../actor/Envelope.ts"
import type { Aggregate } from "../Aggregate.ts"
import { makeCommandMetrics } from "../AggregateMetrics.ts"
import { Aggregates } from "../Aggregates.ts"
import {
  type GuardMoved,
  type IdempotencyError,
  InvalidIdempotencyKey,
  isIdempotencyKey,
  type SendError
} from "../CommandErrors.ts"
import * as OutsideTransaction from "../OutsideTransaction.ts"
import { wireType } from "../PublishedEvent.ts"
import * as CommandIdentity from "./CommandIdentity.ts"
import * as Guarded from "./Guarded.ts"
import * as KeyedCommands from "./KeyedCommands.ts"

export interface CommandOptions extends Omit<SendOptions, "deadline" | "guards"> {
  /** Only whoever makes the command can name what it was made from: see `Guarded`. */
  readonly guards?: never
  /** The time of a submitted command begins when it is submitted. */
  readonly deadline?: never
  /**
   * Makes the command take effect at most once, however often it is sent, for as long as the key is kept (see
   * `CommandRetention`; 48 h by default). 1 to 255 printable ASCII characters. (IETF draft "The Idempotency-Key HTTP
   * Header Field".)
   */
  readonly idempotencyKey?: string
  /**
   * Keeps the key for at least so long, `Infinity` being for ever, where its source may send the command again after
   * `CommandRetention`.
   */
  readonly keepKey?: Duration.Duration
  /**
   * Keeps refusals under the key as well. Makes JSON of an error that is the final answer, and `undefined` of any other. The
   * same command again is then not decided anew, but succeeds with what this made (see `refusalIn`).
   */
  readonly keepRefusal?: (error: unknown) => unknown
}

/** Gives what `keepRefusal` made, if the receipt is that of a command that was refused. */
export const refusalIn = (receipt: object): unknown => ("refused" in receipt ? receipt.refused : undefined)

/** This is the year 9999: PostgreSQL and dates in JavaScript both go so far. */
const forEver = 253_370_764_800

/** The members that every receipt has. */
export interface ReceiptBase {
  /** The stream's version after the command. */
  readonly version: number
  readonly commandId: string
  /** The types of the stored events, as in `order.placed.v1`; empty if there was nothing to do. */
  readonly events: ReadonlyArray<string>
}

export interface Submitted<Receipt> {
  readonly receipt: Receipt & ReceiptBase
  /** The position in the log of the stream's last event after the command; 0 if the stream has none. */
  readonly position: bigint
  /** The id of that event, if it is known without asking the event store again. */
  readonly eventId?: string | undefined
  /** True if the command had been accepted before under its idempotency key; the receipt is the one of that time. */
  readonly replayed: boolean
}

type Tagged = { readonly _tag: string }

export interface Submission<State, Command extends Tagged, Event extends Tagged, Rejection, Receipt, E> {
  readonly aggregate: Aggregate<State, Command, Event, Rejection>
  /** The id of the stream within the aggregate's category. */
  readonly idOf: (command: Command) => string
  /** An idempotency key is valid for this scope and `options.actor`: the command's name and the ids in its path. */
  readonly scope: readonly [name: string, ...ids: ReadonlyArray<string>]
  /** The request as the caller sent it, in JSON. It tells a repeat from another request under the same key. */
  readonly request: unknown
  readonly options?: CommandOptions | undefined
  /**
   * Makes the command by adding what the caller did not send. It may be run for a command that was accepted before, whose
   * answer is the stored one whatever this makes, and should have no effects of its own. If it makes a `Guarded` one and
   * a guard has moved, it is run again, until the command deadline, and must then read anew.
   */
  readonly command: Effect.Effect<Command | Guarded.Guarded<Command>, E>
  /** Is run when a guard has moved, before the command is made anew. To give up instead, let it fail. */
  readonly onMoved?: (moved: GuardMoved) => Effect.Effect<void, E>
  /**
   * Makes the members of the receipt besides `ReceiptBase`, in JSON, from the state after the command. If the command is
   * decided again, because another one was faster, this is made again; the last one counts.
   */
  readonly receipt: (state: State, command: { readonly id: string; readonly events: ReadonlyArray<Event> }) => Receipt
}

export class Commands extends Context.Service<
  Commands,
  {
    /**
     * Decides and durably stores one command, and answers its receipt.
     *
     * Fails as `Aggregates.send` does, but never with `GuardMoved`: if a guard of a `Guarded` command still moved at the
     * command deadline, it fails with `ConcurrencyConflict`, which names that stream. With a key, it fails also with
     * `InvalidIdempotencyKey`, with `CommandIdReused` if the key was used for another request, or with `CommandInProgress`
     * if the same command is still running after the command deadline: send it again after `retryAfter` seconds. With a
     * key, it is safe to send the command again after any of `Unavailable`, `OutcomeUnknown` included.
     */
    submit<State, Command extends Tagged, Event extends Tagged, Rejection, Receipt, E>(
      submission: Submission<State, Command, Event, Rejection, Receipt, E>
    ): Effect.Effect<Submitted<Receipt>, E | Rejection | SendError | IdempotencyError>
  }
>()("ordinal/aggregate/idempotency/Commands") {
  static readonly layer: Layer.Layer<Commands, never, Aggregates | EventStore> = Layer.effect(
    Commands,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const aggregates = yield* Aggregates
  const sendGuarded = yield* Guarded.make
  const once = yield* KeyedCommands.make
  const measured = yield* makeCommandMetrics
  const clock = yield* Clock.Clock
  // The catalog is not asked either, for which a transaction on the only connection of PGlite would leave none.
  const outsideTransaction = yield* OutsideTransaction.make

  const submit = <State, Command extends Tagged, Event extends Tagged, Rejection, Receipt, E>(
    submission: Submission<State, Command, Event, Rejection, Receipt, E>
  ): Effect.Effect<Submitted<Receipt>, E | Rejection | SendError | IdempotencyError> => {
    const { aggregate, idOf, onMoved, options, request, scope } = submission

    const receiptOf = (
      id: string,
      { commandId, events, state, version }: Omit<Accepted<State, Event>, "position" | "eventId">
    ) => ({
      ...submission.receipt(state, { id, events }),
      version,
      commandId,
      events: events.map(({ _tag }) => wireType(aggregate.category, _tag, aggregate.codec.schemaVersion(_tag)))
    })

    const answerOf =
      (id: string) =>
      (accepted: Accepted<State, Event>): Omit<Submitted<Receipt>, "replayed"> => ({
        receipt: receiptOf(id, accepted),
        position: accepted.position,
        eventId: accepted.eventId
      })

    if (options?.idempotencyKey === undefined) {
      const send = (command: Command, attempt: Pick<SendOptions, "deadline" | "guards">) => {
        const id = idOf(command)
        return Effect.map(aggregates.send(aggregate, id, command, { ...options, ...attempt }), answerOf(id))
      }
      return Effect.map(sendGuarded(submission.command, send, onMoved), (answer) => ({ ...answer, replayed: false }))
    }

    if (!isIdempotencyKey(options.idempotencyKey)) return Effect.fail(new InvalidIdempotencyKey())
    const { keepKey, keepRefusal } = options
    const identity = CommandIdentity.make([options.actor ?? "", ...scope], options.idempotencyKey, request)
    const kept = (receipt: object): object => {
      if (keepKey === undefined) return receipt
      const until = clock.currentTimeMillisUnsafe() / 1000 + Duration.toSeconds(keepKey)
      return { ...receipt, keepUntil: Math.ceil(Math.min(until, forEver)) }
    }
    const refusalOf = (error: unknown) => {
      const refused = keepRefusal?.(error)
      return refused === undefined ? undefined : kept({ refused })
    }
    const send = (command: Command, attempt: Pick<SendOptions, "deadline" | "guards">) => {
      const id = idOf(command)
      const receipt = (accepted: Omit<Accepted<State, Event>, "position" | "eventId">) => kept(receiptOf(id, accepted))
      const sent = aggregates.sendKeyed(aggregate, id, command, { ...identity, receipt }, { ...options, ...attempt })
      return Effect.map(sent, answerOf(id))
    }
    const run = sendGuarded(submission.command, send, onMoved)
    const recall = ({ position, receipt }: KeyedCommands.Remembered) => {
      // `receiptOf` made it, for a request with the same fingerprint.
      const { keepUntil: _, ...made } = receipt as Receipt & ReceiptBase & { readonly keepUntil?: number }
      // The compiler can't see that the rest of a receipt without `keepUntil` is the receipt itself.
      return { receipt: made as unknown as Receipt & ReceiptBase, position, eventId: undefined }
    }
    return Effect.map(once(identity, run, recall, refusalOf), ({ answer, replayed }) => ({ ...answer, replayed }))
  }

  return Commands.of({
    submit: (submission) => measured(submission.scope[0], outsideTransaction(Effect.suspend(() => submit(submission))))
  })
})
