/** How the service submits a command to an aggregate: once under its idempotency key if it has one, and with a receipt. */
import { Effect } from "effect"
import type { Aggregate } from "../Aggregate.ts"
import { Aggregates, type SendOptions } from "../Aggregates.ts"
import * as CommandIdentity from "./CommandIdentity.ts"
import type { Accepted } from "../actor/Envelope.ts"
import { InvalidIdempotencyKey, isIdempotencyKey } from "../CommandErrors.ts"
import { KeyedCommands } from "./KeyedCommands.ts"
import { wireType } from "../WireType.ts"
import { makeCommandMetrics } from "../AggregateMetrics.ts"

export interface CommandOptions extends SendOptions {
  /** Makes the command take effect at most once however often it is sent, for as long as its row is kept. */
  readonly idempotencyKey?: string
}

/** What is the same in every receipt. */
export interface Stamp {
  readonly version: number
  readonly commandId: string
  /** Wire types. */
  readonly events: ReadonlyArray<string>
}

export interface Submitted<Body> {
  readonly body: Body & Stamp
  readonly position: bigint
  readonly replayed: boolean
}

type Tagged = { readonly _tag: string }

export interface Submission<State, Command extends Tagged, Event extends Tagged, Rejection, Body, E> {
  readonly aggregate: Aggregate<State, Command, Event, Rejection>
  readonly idOf: (command: Command) => string
  /** What the caller's key is valid for, besides the caller: the command's name and the ids in its path. */
  readonly scope: readonly [name: string, ...ids: ReadonlyArray<string>]
  /** As the caller sent it, before ids, prices and times are added. */
  readonly request: unknown
  readonly options: CommandOptions | undefined
  /** Adds what the caller did not send. Not run for a command that was accepted before. */
  readonly command: Effect.Effect<Command, E>
  readonly body: (state: State, command: { readonly id: string }) => Body
}

export const make = Effect.gen(function* () {
  const aggregates = yield* Aggregates
  const keyedCommands = yield* KeyedCommands
  const measured = yield* makeCommandMetrics

  const submit = Effect.fnUntraced(function* <State, Command extends Tagged, Event extends Tagged, Rejection, Body, E>(
    submission: Submission<State, Command, Event, Rejection, Body, E>
  ) {
    const { aggregate, idOf, options, request, scope } = submission

    const body = (id: string, { commandId, events, state, version }: Omit<Accepted<State, Event>, "position">) => ({
      ...submission.body(state, { id }),
      version,
      commandId,
      events: events.map(({ _tag }) => wireType(aggregate.category, _tag, aggregate.codec.schemaVersion(_tag)))
    })

    if (options?.idempotencyKey === undefined) {
      const command = yield* submission.command
      const id = idOf(command)
      const accepted = yield* aggregates.send(aggregate, id, command, options)
      return { body: body(id, accepted), position: accepted.position, replayed: false }
    }

    if (!isIdempotencyKey(options.idempotencyKey)) return yield* new InvalidIdempotencyKey()
    const identity = CommandIdentity.make([options.actor ?? "", ...scope], options.idempotencyKey, request)
    const run = Effect.gen(function* () {
      const command = yield* submission.command
      const id = idOf(command)
      const receipt = (accepted: Omit<Accepted<State, Event>, "position">) => body(id, accepted)
      const accepted = yield* aggregates.sendKeyed(aggregate, id, command, { ...identity, receipt }, options)
      return { body: body(id, accepted), position: accepted.position }
    })
    const { answer, replayed } = yield* keyedCommands.once(identity, run, ({ position, receipt }) => ({
      // It was written by the lines above.
      body: receipt as Body & Stamp,
      position
    }))
    return { ...answer, replayed }
  })

  return <State, Command extends Tagged, Event extends Tagged, Rejection, Body, E>(
    submission: Submission<State, Command, Event, Rejection, Body, E>
  ) => measured(submission.scope[0], submit(submission))
})
