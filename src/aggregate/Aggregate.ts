/**
 * Aggregates of your own. `Service` makes a service class of schemas and pure rules, which is all that most programs need.
 * Below it, an `Aggregate` is a plain value: everything that the kernel needs to host one type. It is given to
 * `Aggregates.send` or `Commands.submit` with each command.
 */
import { Context, Effect, Layer, Result, type Schema } from "effect"
import type { Guard } from "../eventstore/EventStore.ts"
import type { StreamId } from "../eventstore/StreamId.ts"
import * as StreamIds from "../eventstore/StreamId.ts"
import { AggregateHost, type AggregateService, type Definition, type ServiceOf } from "./AggregateService.ts"
import * as EventCodec from "./EventCodec.ts"

/**
 * The pure rules of one aggregate: synchronous, deterministic, without clock, random numbers or I/O. Ids arrive in the
 * command, times in the envelope of the event. (The decider pattern of Jérémie Chassaing.)
 */
export interface Decider<State, Command, Event, Rejection> {
  readonly initialState: State
  /** Decides a command: its events, none if there is nothing to do, or a rejection. It never throws. */
  decide(command: Command, state: State): Result.Result<ReadonlyArray<Event>, Rejection>
  /**
   * Folds one event into the state. It is total on every event that `decide` emits. `recordedAt` (ISO 8601, UTC) is
   * provisional while later commands of the same drain are decided, so `decide` must not look at a time.
   */
  evolve(state: State, event: Event, recordedAt: string): State
}

/** Says how the state is saved, to shorten the replay of long streams. */
export interface SnapshotPolicy<State> {
  /** The number of events from one snapshot to the next. */
  readonly every: number
  readonly schema: Schema.Codec<State, unknown>
  /** Raise this version when `evolve` makes another state of the same events: older snapshots are then ignored. */
  readonly foldVersion: number
}

export interface Aggregate<State, Command, Event, Rejection> {
  /** Lower-case letters; the prefix of the stream id. */
  readonly category: string
  readonly decider: Decider<State, Command, Event, Rejection>
  readonly codec: EventCodec.EventCodec<Event>
  /** The stream holds this one's data: the id is written into every event's metadata. */
  readonly owner?: (state: State) => string | undefined
  /** Without a policy the whole stream is replayed at each activation. */
  readonly snapshots?: SnapshotPolicy<State>
}

export const streamId = (aggregate: { readonly category: string }, id: string): StreamId =>
  StreamIds.make(aggregate.category, id)

/** Decides that these events happen; without any, that there is nothing to do. */
export const accept = <const Events extends ReadonlyArray<Tagged>>(...events: Events): Result.Result<Events> =>
  Result.succeed(events)

/** Decides that the command is refused. */
export const reject = <Rejection>(rejection: Rejection): Result.Result<never, Rejection> => Result.fail(rejection)

type Tagged = { readonly _tag: string }
type Codec<A, I = unknown> = Schema.Codec<A, I>

/** Makes the plain value of a definition. Throws a `TypeError` that says what is wrong with it. */
export const fromDefinition = <
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
>(
  category: string,
  definition: Definition<Id, State, Command, Event, Rejection>
): Aggregate<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]> => {
  if (!/^[a-z]+$/.test(category)) {
    throw new TypeError(`A category is lower-case letters, as in "giftcard"; this is "${category}".`)
  }
  const { event, evolve, initial, owner, snapshot, state, uncheckedEvents, upcasters } = definition
  if (snapshot !== undefined && !(Number.isInteger(snapshot.every) && snapshot.every > 0)) {
    throw new TypeError(
      `The aggregate ${category} saves a snapshot every ${snapshot.every} events; take a number from 1 on.`
    )
  }
  for (const [part, schema] of Object.entries({ event, state })) {
    const found = EventCodec.notJson(schema)
    if (found === undefined) continue
    throw new TypeError(
      `The ${part} of ${category} can't be stored as JSON, since ${found}; give that an encoding, as Schema.DateFromString has.`
    )
  }
  // Without a rejection in the definition, the type of what `decide` may reject with is only a message for the compiler.
  const decide = definition.decide as Decider<
    State["Type"],
    Command["Type"],
    Event["Type"],
    Rejection["Type"]
  >["decide"]
  return {
    category,
    decider: { initialState: initial, decide, evolve },
    codec: EventCodec.make(event, upcasters, { disableChecks: uncheckedEvents === true }),
    ...(owner === undefined ? {} : { owner }),
    ...(snapshot === undefined ? {} : { snapshots: { ...snapshot, schema: state } })
  }
}

/** The class that `Service` makes: the service's key, its layer, and what is known of its streams without asking. */
export interface ServiceClass<
  Self,
  Category extends string,
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
> extends Context.ServiceClass<
  Self,
  `ordinal/aggregate/Aggregate/${Category}`,
  ServiceOf<Id, State, Command, Event, Rejection>
> {
  readonly category: Category
  readonly definition: Definition<Id, State, Command, Event, Rejection>
  readonly aggregate: Aggregate<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]>
  /** The service, hosted by what a layer of `EventSourcing` provides. */
  readonly layer: Layer.Layer<Self, never, AggregateHost>
  /** Says that a command of another aggregate was made from this one at that version, 0 if it had no events. */
  guard(id: Id["Type"], version: number): Guard
}

/** What is known of any definition: all but the rules, which only their own commands, states and events may be given to. */
type AnyDefinition = Omit<
  Definition<Codec<string, string>, Codec<unknown>, Codec<Tagged, Tagged>, Codec<Tagged, Tagged>, Codec<unknown>>,
  "decide" | "evolve" | "owner"
>

/**
 * The class of any aggregate, and how little is asked of it: a function that only serves one asks for `Any<Self>`; one whose
 * type depends on the schemas is generic in the class, `A extends Any`, and names them by it, as `A["definition"]["state"]`.
 */
export interface Any<out Self = unknown, out Category extends string = string> extends Context.Key<
  Self,
  AggregateService<string, unknown, Tagged, Tagged, unknown>
> {
  readonly category: Category
  readonly definition: AnyDefinition
}

/** The schema of what an aggregate rejects commands with. */
export type RejectionOf<A extends Any> = NonNullable<A["definition"]["rejection"]>

/**
 * Makes an aggregate a service: of its schemas and its pure rules.
 *
 * ```ts
 * class GiftCards extends Aggregate.Service<GiftCards>()("giftcard", {
 *   id: CardId, command: CardCommand, event: CardEvent, state: CardState, rejection: NotEnough,
 *   initial: { issued: false, balance: 0 },
 *   decide: (command, state) =>
 *     command.cents > state.balance ? Aggregate.reject(new NotEnough()) : Aggregate.accept({ ...command, _tag: "Redeemed" }),
 *   evolve: (state, event) => …
 * }) {}
 *
 * const program = Effect.gen(function* () {
 *   const cards = yield* GiftCards
 *   const { state, version } = yield* cards.send(id, CardCommand.cases.Redeem.make({ cents: 500 }))
 * })
 * program.pipe(Effect.provide(GiftCards.layer), Effect.provide(EventSourcing.layerMemory))
 * ```
 *
 * The category is the prefix of the names of its streams, in lower-case letters: it never changes once events are stored.
 * Throws a `TypeError` if the category or the snapshot policy is not valid, or if events or states are no JSON.
 */
export const Service =
  <Self>() =>
  <
    const Category extends string,
    Id extends Codec<string, string>,
    State extends Codec<unknown>,
    Command extends Codec<Tagged, Tagged>,
    Event extends Codec<Tagged, Tagged>,
    Rejection extends Codec<unknown> = Schema.Never
  >(
    category: Category,
    definition: Definition<Id, State, Command, Event, Rejection>
  ): ServiceClass<Self, Category, Id, State, Command, Event, Rejection> => {
    const key = Context.Service<Self, ServiceOf<Id, State, Command, Event, Rejection>>()(
      `ordinal/aggregate/Aggregate/${category}`
    )
    const aggregate = fromDefinition(category, definition)
    const host = Effect.map(AggregateHost, (host) => host.host(category, definition))
    return Object.assign(key, {
      category,
      definition,
      aggregate,
      layer: Layer.effect(key, host),
      guard: (id: Id["Type"], version: number): Guard => ({ streamId: StreamIds.make(category, id), version })
    })
  }
