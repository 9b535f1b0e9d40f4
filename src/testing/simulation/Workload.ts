/**
 * Makes a program for a simulation from nothing but the commands of some aggregates: it sends them to a few ids, in all the
 * ways in which the kernel lets one send, and reads in between.
 */
import { Effect } from "effect"
import * as AggregateIds from "../../aggregate/Aggregate.ts"
import type { Aggregate } from "../../aggregate/Aggregate.ts"
import { Guarded } from "../../aggregate/idempotency/Guarded.ts"
import { Client } from "./Client.ts"

type Tagged = { readonly _tag: string }

/** An aggregate, and a function that makes any of its commands of random numbers from 0 up to, and without, 1. */
export interface Subject<Command = Tagged> {
  readonly aggregate: Aggregate<unknown, Command, Tagged, unknown>
  readonly command: (random: () => number) => Command
}

/** Names an aggregate as a subject. */
export const subject = <State, Command extends Tagged, Event extends Tagged, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  command: (random: () => number) => Command
): Subject =>
  // A subject's commands go to its own aggregate only, which knows their types.
  ({ aggregate, command }) as unknown as Subject

export interface Options {
  /** Each client sends so many commands and reads. */
  readonly requests?: number
  /** The commands of each aggregate go to so many ids. */
  readonly ids?: number
}

export const commands = (
  subjects: ReadonlyArray<Subject>,
  { ids = 2, requests = 8 }: Options = {}
): Effect.Effect<void, never, Client> =>
  Effect.gen(function* () {
    const client = yield* Client
    const { random } = client
    const below = (limit: number) => Math.floor(random() * limit)
    /** Some clients send all that they have to one id, and much of it at once, so that commands meet. */
    const isHot = random() < 0.4
    const anyOf = () => ({ ...subjects[below(subjects.length)]!, id: String(isHot ? 1 : 1 + below(ids)) })
    /** The version that was last seen of each stream, for preconditions. */
    const versions = new Map<string, number>()

    const request = Effect.suspend(() => {
      const { aggregate, command, id } = anyOf()
      const name = AggregateIds.streamId(aggregate, id)
      const saw = (version: number | undefined) => void (version === undefined || versions.set(name, version))
      const way = random()
      if (way < 0.2) return Effect.map(client.read(aggregate, id), (state) => saw(state?.version))
      const precondition =
        random() < 0.2 ? (random() < 0.2 ? ("exists" as const) : (versions.get(name) ?? 0)) : undefined
      // Few keys for many commands: some are used for another command, and are refused.
      const idempotencyKey = `${client.number}-${below(random() < 0.25 ? 2 : 10_000)}`
      const options = { precondition, ...(way < 0.6 ? { idempotencyKey } : {}) }
      const made = command(random)
      if (way < 0.5 || way > 0.75) {
        return Effect.map(client.send(aggregate, id, made, options), (reply) =>
          saw("version" in reply ? reply.version : undefined)
        )
      }
      const other = anyOf()
      const streamId = AggregateIds.streamId(other.aggregate, other.id)
      return client.send(
        aggregate,
        id,
        (read) =>
          Effect.map(
            read(other.aggregate, other.id),
            ({ version }) => new Guarded({ command: made, guards: [{ streamId, version }] })
          ),
        options
      )
    })
    const pause = Effect.suspend(() => Effect.sleep(random() * (random() < 0.2 ? 1_500 : 60)))
    for (let left = requests; left > 0;) {
      const atOnce = isHot ? Math.min(left, 2 + below(5)) : random() < 0.3 ? Math.min(left, 2) : 1
      left -= atOnce
      yield* Effect.all(
        Array.from({ length: atOnce }, () => request),
        { concurrency: "unbounded", discard: true }
      )
      yield* pause
    }
  })
