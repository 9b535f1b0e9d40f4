/**
 * Subscriptions: durable consumers of the log for reactions of one's own, such as a mail, a webhook, or a command to
 * another aggregate. A subscription is run as a projection is, by one process at a time, with a checkpoint, a lease and
 * parked streams; but its handler is any Effect, runs outside of transactions, and may take long.
 *
 * Each event is handled at least once, those of a stream in their order: after a crash the last events come again.
 */
import { Duration, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import * as HandlerFailure from "./HandlerFailure.ts"
import type { Batch, Start, Subscription } from "./Projection.ts"
import { HandlerOverdue, type Retry } from "./ProjectionErrors.ts"
import { ProjectionHost } from "./ProjectionHost.ts"
import * as TypedEvents from "./TypedEvents.ts"

export { Retry } from "./ProjectionErrors.ts"

export interface Options<From extends TypedEvents.Source, E, R> {
  /** The aggregates whose events it is given, decoded; or names of categories, whose events nobody decodes. */
  readonly from: ReadonlyArray<From>
  /** It is given these types of events alone, by their tags. */
  readonly types?: ReadonlyArray<string>
  /**
   * Where it begins when it runs for the first time: at the first event of the log, behind its last one, or behind what a
   * consistency token was given for. From then on its checkpoint counts; see `Projections.rewind`.
   */
  readonly start: Start
  /** Its handler is given at most so many events at once; 100 by default. */
  readonly batch?: number
  /** And so many bytes of their data, or a single event that is larger; 1 MiB by default. */
  readonly batchBytes?: number
  /** The handler is interrupted after this time, and tries again with fewer events; 1 minute by default. */
  readonly timeout?: Duration.Input
  /**
   * Runs before the first events of each attempt: when this process takes the subscription over, and after a failure.
   * Another process may have handled events since, and its checkpoint need not say so.
   */
  readonly begin?: Effect.Effect<unknown>
  /**
   * Runs beside the handler for as long as this process runs the subscription: from `begin` on, until another process has
   * taken it over, it is paused or moved, or the attempt has failed. If it ends or fails itself, there is another attempt.
   */
  readonly beside?: Effect.Effect<unknown, SqlError.SqlError | DatabaseUnavailable | Retry>
  /**
   * Takes a connection to the database only while the checkpoint is moved, from those that all share, so that there may be
   * dozens of such subscriptions; false by default.
   */
  readonly isShared?: boolean
  /**
   * Handles events in the order of the log. All of them count as handled once it has succeeded, none if it fails.
   *
   * If it fails with `Subscriptions.Retry`, or any error that has a number `retryAfter` as those of commands have, then what
   * it needs is away: the same events come again, with backoff, for as long as it takes. If it fails otherwise, the one
   * event is found that fails by itself while others get through, thrice; its stream is parked, and the others go on.
   */
  readonly handle: (events: TypedEvents.Events<From>) => Effect.Effect<unknown, E, R>
}

const count = (name: string, option: string, value: number): number => {
  if (Number.isInteger(value) && value > 0) return value
  throw new TypeError(`The subscription ${name} has ${option} ${value}; take a number from 1 on.`)
}

/**
 * Makes a layer that runs a subscription until it is closed, unless another process on the same log runs it. The name
 * stands for its checkpoint, and never changes; projections have other names.
 *
 * ```ts
 * const welcome = Subscriptions.make("welcome", {
 *   from: [GiftCards],
 *   start: "end",
 *   handle: Effect.fnUntraced(function* (events) {
 *     const mail = yield* Mail
 *     for (const { event, eventId, id } of events) {
 *       if (event._tag === "Issued") yield* mail.send(`Card ${id} is worth ${event.cents} cents.`, { key: eventId })
 *     }
 *   })
 * })
 * program.pipe(Effect.provide(welcome), Effect.provide(Mail.layer), Effect.provide(EventSourcing.layerMemory))
 * ```
 *
 * Building it fails with `ProjectionStopped` if the log did not issue the token of `start`, or with `SqlError` if the
 * database is away; it throws a `TypeError` if an option is not valid.
 */
export const make = <const From extends TypedEvents.Source, E = never, R = never>(
  name: string,
  options: Options<From, E, R>
) => {
  const { batch = 100, batchBytes = 1024 * 1024, begin, beside, from, handle, isShared = false } = options
  const { start, timeout = "1 minute", types } = options
  const decode = TypedEvents.decoder(from)
  const limit = Duration.fromInputUnsafe(timeout)
  const overdue = Effect.suspend(() => new HandlerOverdue({ seconds: Duration.toSeconds(limit) }))

  const deliver = (events: Batch) =>
    Effect.suspend(() => handle(decode(events))).pipe(
      Effect.timeoutOrElse({ duration: limit, orElse: () => overdue }),
      Effect.asVoid,
      HandlerFailure.classified,
      Effect.withSpan("Subscription.handle", { attributes: { subscription: name, events: events.length } })
    )

  const subscription: Omit<Subscription, "deliver"> = {
    name,
    version: 1,
    partition: "stream",
    categories: TypedEvents.categoriesOf(from),
    ...(types === undefined ? {} : { types }),
    ...(begin === undefined ? {} : { begin: Effect.asVoid(begin) }),
    ...(beside === undefined ? {} : { beside }),
    isShared,
    start,
    maxEvents: count(name, "a batch of", batch),
    maxBytes: count(name, "batchBytes", batchBytes)
  }
  return Layer.effectDiscard(
    Effect.gen(function* () {
      const { run } = yield* ProjectionHost
      const context = yield* Effect.context<R>()
      yield* run({ ...subscription, deliver: (events) => Effect.provide(deliver(events), context) })
    })
  )
}
