/**
 * What a program in a simulation can do: send commands to aggregates and read them, each time over some node, as callers of
 * a service behind a load balancer do. All that it asks and is answered becomes part of the history, which is judged.
 */
import { Context, Effect, Fiber, Schedule } from "effect"
import type { Accepted, Precondition } from "../../aggregate/actor/Envelope.ts"
import type { Aggregate } from "../../aggregate/Aggregate.ts"
import * as AggregateIds from "../../aggregate/Aggregate.ts"
import { Aggregates } from "../../aggregate/Aggregates.ts"
import type { Unavailable } from "../../aggregate/CommandErrors.ts"
import { Commands } from "../../aggregate/idempotency/Commands.ts"
import { Guarded } from "../../aggregate/idempotency/Guarded.ts"
import type { Faults } from "./Faults.ts"
import { type Answer, type AnyAggregate, type History, inWords, type SentCommand } from "./History.ts"
import type { Kernel, Node } from "./Node.ts"
import type { Requests } from "./Requests.ts"
import type { Process } from "./World.ts"

type Tagged = { readonly _tag: string }

/** Reads a state in the node that makes a command. */
export type Read = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  id: string
) => Effect.Effect<Accepted<State, Event>, Unavailable>

export interface ClientOptions {
  /**
   * With a key, the command is sent until its answer is certain, over any node, and must take effect at most once. The same
   * key for another command of the same name and id must be refused, if the first one was accepted.
   */
  readonly idempotencyKey?: string
  readonly precondition?: Precondition
}

/**
 * - `Accepted`: the stream is at `version` after the command.
 * - `Rejected`: the domain rejected it.
 * - `NotDone`: a precondition did not hold, or no node could do it. Nothing was stored.
 * - `Unknown`: the command may be stored. A command with a key is never answered so.
 */
export type Reply<Rejection> =
  | { readonly _tag: "Accepted"; readonly version: number }
  | { readonly _tag: "Rejected"; readonly rejection: Rejection }
  | { readonly _tag: "NotDone" }
  | { readonly _tag: "Unknown" }

export class Client extends Context.Service<
  Client,
  {
    /** Answers the next number from 0 up to, and without, 1; the seed of the run brings the same numbers back. */
    readonly random: () => number
    /** The number of this client, from 0. */
    readonly number: number
    /** Sends a command, or one that is made in the node from what other streams hold. */
    send<State, Command extends Tagged, Event extends Tagged, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string,
      command: Command | ((read: Read) => Effect.Effect<Guarded<Command>, Unavailable>),
      options?: ClientOptions
    ): Effect.Effect<Reply<Rejection>>
    /** Reads the newest committed state; `undefined` if no node could tell. */
    read<State, Command, Event, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      id: string
    ): Effect.Effect<{ readonly state: State; readonly version: number } | undefined>
  }
>()("ordinal/testing/simulation/Client") {}

const readIn: Read = (aggregate, id) =>
  Effect.flatMap(Aggregates, (aggregates) => aggregates.read(aggregate, id)) as Effect.Effect<never, Unavailable>

const time = /"\d{4}-\d{2}-\d{2}T[\d:.]+Z"/g

/** The pauses of a caller who sends a command again: in an outage each attempt costs as much as a request. */
const again = Schedule.min([Schedule.exponential(50), Schedule.spaced(1_000)])

/** A receipt is stored with the times of a state that are provisional, so it can't have any. */
const withoutTimes = (state: unknown): string => (JSON.stringify(state) ?? "null").replace(time, "null")

const isFinal = ({ _tag }: Answer): boolean => _tag !== "NotDone" && _tag !== "Unknown"

const replyOf = (answer: Answer): Reply<unknown> => {
  switch (answer._tag) {
    case "Accepted":
      return { _tag: "Accepted", version: answer.accepted.version }
    case "Submitted":
      return { _tag: "Accepted", version: answer.submitted.receipt.version }
    case "Rejected":
      return { _tag: "Rejected", rejection: answer.error }
    case "Unknown":
    case "Defect":
      return { _tag: "Unknown" }
    case "NotNow":
    case "Reused":
    case "NotDone":
      return { _tag: "NotDone" }
  }
}

export interface Around {
  readonly process: Process
  readonly history: History
  readonly faults: Faults
  readonly requests: Requests
  readonly nodes: ReadonlyArray<Node>
  /** After so many requests of all clients, no other is sent. */
  readonly limit: number
}

export const make = ({ faults, history, limit, nodes, process, requests }: Around, number: number) => {
  const { world } = process
  /** A client stays with a node for a while. */
  let node = number

  const isOver = () => history.commands.length + history.reads.length >= limit

  const nextNode = (): Node => {
    if (world.chance(0.3)) node = world.below(nodes.length)
    return nodes[node % nodes.length]!
  }

  /** Runs a command in a node. */
  const effectOf = (sent: SentCommand, id: string, command: unknown): Effect.Effect<Answer, unknown, Kernel> => {
    // The history holds aggregates and commands of any type, each with its own.
    const aggregate = sent.aggregate as Aggregate<unknown, Tagged, Tagged, unknown>
    const { key, precondition } = sent
    const options = { correlationId: sent.id, precondition }
    if (key === undefined && typeof command !== "function") {
      sent.made.push({ command, guards: [] })
      return Effect.flatMap(Aggregates, (aggregates) =>
        aggregates.send(aggregate, id, command as Tagged, options)
      ).pipe(Effect.map((accepted) => ({ _tag: "Accepted", accepted })))
    }
    const make: Effect.Effect<Tagged | Guarded<Tagged>, unknown, Aggregates> =
      typeof command === "function"
        ? Effect.suspend(() => command(readIn) as Effect.Effect<Guarded<Tagged>, unknown, Aggregates>)
        : Effect.succeed(command as Tagged)
    return Effect.contextWith((context: Context.Context<Kernel>) =>
      Context.get(context, Commands).submit({
        aggregate,
        idOf: () => id,
        scope: [aggregate.category, id],
        request: sent.request,
        options: { ...options, ...(key === undefined ? {} : { idempotencyKey: key }) },
        command: Effect.tap(Effect.provideContext(make, context), (made) =>
          Effect.sync(() => {
            sent.made.push(made instanceof Guarded ? made : { command: made, guards: [] })
          })
        ),
        receipt: (state) => ({ state: withoutTimes(state) })
      })
    ).pipe(
      Effect.map((submitted) =>
        submitted.receipt === undefined
          ? { _tag: "Defect", defect: "A command with a key was answered without a receipt." }
          : { _tag: "Submitted", submitted }
      )
    )
  }

  const send = Effect.fnUntraced(function* (
    aggregate: AnyAggregate,
    id: string,
    command: unknown,
    options: ClientOptions
  ) {
    const { idempotencyKey: key, precondition } = options
    const condition = precondition === undefined ? "" : ` if ${JSON.stringify(precondition)}`
    const sent: SentCommand = {
      id: `command ${history.commands.length + 1}`,
      aggregate,
      streamId: AggregateIds.streamId(aggregate, id),
      key,
      precondition,
      request: `${typeof command === "function" ? "made in the node" : JSON.stringify(command)}${condition}`,
      made: [],
      attempts: []
    }
    history.commands.push(sent)
    const attempt = Effect.suspend(() => {
      const to = nextNode()
      world.note(
        process,
        `${sent.id} to ${to.process.name}: ${sent.streamId} ${sent.request}${key === undefined ? "" : ` ${key}`}`
      )
      const effect = effectOf(sent, id, command)
      return requests.ask(
        to,
        effect,
        (answer) => answer,
        (attempt) => sent.attempts.push(attempt)
      )
    }).pipe(Effect.tap((answer) => Effect.sync(() => world.note(process, `${sent.id}: ${inWords(answer)}`))))
    if (key === undefined) return replyOf(yield* attempt)
    const untilCertain = Effect.repeat(attempt, { until: isFinal, schedule: again })
    const twin = faults.strikes("twin", 0.2) ? yield* Effect.forkChild(untilCertain) : undefined
    const answer = yield* untilCertain
    if (twin !== undefined) yield* Fiber.await(twin)
    return replyOf(answer)
  })

  const read = Effect.fnUntraced(function* (aggregate: AnyAggregate, id: string, from: Node) {
    const streamId = AggregateIds.streamId(aggregate, id)
    world.note(process, `reads ${streamId} from ${from.process.name}`)
    const answer = yield* requests.ask(
      from,
      readIn(aggregate, id),
      (accepted): Answer => ({ _tag: "Accepted", accepted }),
      (attempt) => history.reads.push({ aggregate, streamId, attempt })
    )
    world.note(process, `reads ${streamId}: ${inWords(answer)}`)
    return answer._tag === "Accepted" ? answer.accepted : undefined
  })

  const client = Client.of({
    random: world.random,
    number,
    // The history holds aggregates of any type; what comes back is of the type of the one that was sent.
    send: (aggregate, id, command, options = {}) =>
      Effect.suspend((): Effect.Effect<Reply<unknown>> =>
        isOver() ? Effect.succeed({ _tag: "NotDone" }) : send(aggregate as AnyAggregate, id, command, options)
      ) as Effect.Effect<Reply<never>>,
    read: (aggregate, id) =>
      Effect.suspend(() =>
        isOver() ? Effect.undefined : read(aggregate as AnyAggregate, id, nextNode())
      ) as Effect.Effect<undefined>
  })
  return { client, read }
}
