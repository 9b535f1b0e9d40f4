/**
 * Hosts the aggregates of `Aggregate.Service` in this process, on `Commands` and `Aggregates`.
 *
 * The answer to a repeat under an idempotency key is folded from the log up to the version that the first one led to, so it
 * is the answer of that time, whatever has happened since.
 */
import { Effect, Layer, Option, Schema, Stream } from "effect"
import { type Aggregate, fromDefinition, streamId } from "../aggregate/Aggregate.ts"
import {
  AggregateHost,
  type AggregateService,
  type Answer,
  type CommandOptions
} from "../aggregate/AggregateService.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import type { GuardMoved } from "../aggregate/CommandErrors.ts"
import { Commands, type Submitted } from "../aggregate/idempotency/Commands.ts"
import { Guarded } from "../aggregate/idempotency/Guarded.ts"
import { check, checkId, InvalidRequest } from "../aggregate/InvalidRequest.ts"
import { EventStore, maxPageSize, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"

type Tagged = { readonly _tag: string }

const make = Effect.gen(function* () {
  const aggregates = yield* Aggregates
  const commands = yield* Commands
  const log = yield* EventStore
  const { logId } = yield* log.head

  const valid = (check: (value: unknown) => InvalidRequest["errors"], value: unknown) =>
    Effect.suspend(() => {
      const mistakes = check(value)
      return mistakes.length === 0 ? Effect.void : Effect.fail(InvalidRequest.all(mistakes))
    })

  const serviceOf = <Id extends string, State, Command extends Tagged, Event extends Tagged, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    checkId: (id: unknown) => InvalidRequest["errors"],
    checkCommand: (command: unknown) => InvalidRequest["errors"],
    encode: (command: Command) => unknown
  ): AggregateService<Id, State, Command, Event, Rejection> => {
    const { codec, decider } = aggregate
    const nameOf = (tag: string) => `${aggregate.category}.${tag}`

    const pages = (id: Id, after: number) =>
      Stream.paginate(after, (after) =>
        Effect.map(log.readStream(streamId(aggregate, id), { after, limit: maxPageSize }), ({ events, hasMore }) => {
          const last = events.at(-1)
          return [events, last === undefined || !hasMore ? Option.none() : Option.some(last.version)] as const
        })
      )

    const tokenOf = Effect.fnUntraced(function* (position: bigint, eventId: string | undefined) {
      return ConsistencyToken.format(logId, position, eventId ?? (yield* ConsistencyToken.eventIdAt(log, position)))
    })

    /** Folds what a command led to, long after it was stored. */
    const recall = (id: Id, version: number, count: number) =>
      pages(id, 0).pipe(
        Stream.takeWhile((event) => event.version <= version),
        Stream.runFold(
          () => ({ state: decider.initialState, events: [] as ReadonlyArray<Event> }),
          ({ events, state }, stored: RecordedEvent) => {
            const event = codec.decode(stored)
            const isOwn = stored.version > version - count
            return {
              state: decider.evolve(state, event, stored.recordedAt),
              events: isOwn ? [...events, event] : events
            }
          }
        )
      )

    /** Submits a command; what its receipt was made of is the answer, unless the command was accepted before. */
    const submit = <E>(
      id: Id,
      name: string,
      request: unknown,
      command: Effect.Effect<Command | Guarded<Command>, E>,
      { ifVersion, ...options }: CommandOptions,
      onMoved?: (moved: GuardMoved) => Effect.Effect<void, E>
    ) =>
      Effect.suspend(() => {
        let after: Pick<Answer<State, Event>, "state" | "events"> | undefined
        const submitted = commands.submit({
          aggregate,
          idOf: () => id,
          scope: [name, id],
          request,
          options: { ...options, precondition: ifVersion },
          command,
          ...(onMoved === undefined ? {} : { onMoved }),
          receipt: (state, { events }) => {
            after = { state, events }
            return {}
          }
        })
        return Effect.flatMap(submitted, ({ eventId, position, receipt, replayed }: Submitted<object>) => {
          const { commandId, events, version } = receipt
          const known = after === undefined || replayed ? recall(id, version, events.length) : Effect.succeed(after)
          return Effect.map(Effect.all([known, tokenOf(position, eventId)]), ([known, token]) => ({
            ...known,
            version,
            token,
            commandId,
            replayed
          }))
        })
      })

    const checked = (command: Command) => Effect.as(valid(checkCommand, command), command)

    return {
      send: (id, command, { guards, ...options } = {}) =>
        Effect.andThen(
          Effect.andThen(valid(checkId, id), valid(checkCommand, command)),
          Effect.suspend(() =>
            guards === undefined
              ? submit(id, nameOf(command._tag), encode(command), Effect.succeed(command), options)
              : submit<GuardMoved>(
                  id,
                  nameOf(command._tag),
                  encode(command),
                  Effect.succeed(new Guarded({ command, guards })),
                  options,
                  Effect.fail
                )
          )
        ),
      sendGuarded: (id, make, { request = null, ...options } = {}) =>
        Effect.andThen(
          valid(checkId, id),
          submit(
            id,
            nameOf("guarded"),
            request,
            Effect.tap(make, ({ command }) => checked(command)),
            options
          )
        ),
      get: Effect.fnUntraced(function* (id) {
        yield* valid(checkId, id)
        const { eventId, position, state, version } = yield* aggregates.read(aggregate, id)
        return { state, version, token: yield* tokenOf(position, eventId) }
      }),
      events: (id, { after = 0 } = {}) =>
        Stream.unwrap(Effect.as(valid(checkId, id), pages(id, after))).pipe(
          Stream.map((stored) => {
            const { eventId, metadata, position, recordedAt, streamId, version } = stored
            return { event: codec.decode(stored), eventId, metadata, position, recordedAt, streamId, version }
          })
        )
    }
  }

  return AggregateHost.of({
    host: (category, definition) =>
      serviceOf(
        fromDefinition(category, definition),
        checkId(definition.id),
        check(definition.command),
        Schema.encodeSync(definition.command)
      )
  })
})

/** Provides the host of `Aggregate.Service` classes. Building it fails if the log can't be read. */
export const layer = Layer.effect(AggregateHost, make)
