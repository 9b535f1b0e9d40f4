/**
 * The history of a simulation: what clients asked for and were answered, when, and how far the log was then; and what the
 * followers of the log were handed. The checks compare it with the log.
 */
import type { Accepted, Precondition } from "../../aggregate/actor/Envelope.ts"
import type { Aggregate } from "../../aggregate/Aggregate.ts"
import type { Submitted } from "../../aggregate/idempotency/Commands.ts"
import type { Guard } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"

export type AnyAggregate = Aggregate<unknown, unknown, unknown, unknown>

/** A moment is the time, in milliseconds of the world, and how many events the log had. */
export interface Moment {
  readonly time: number
  readonly position: number
}

/**
 * - `Accepted`: the command took effect, or changed nothing; or this is the answer of a read.
 * - `Submitted`: the same with a receipt, which is a stored one if the command had been accepted before under its key.
 * - `Rejected`: the domain rejected it, and `NotNow` its precondition or a guard did.
 * - `Reused`: its key was used for another command.
 * - `NotDone`: the node could not do it, and says that it was not done.
 * - `Unknown`: nobody knows.
 * - `Defect`: the program is broken.
 */
export type Answer =
  | { readonly _tag: "Accepted"; readonly accepted: Accepted<unknown, unknown> }
  | { readonly _tag: "Submitted"; readonly submitted: Submitted<{ readonly state: unknown }> }
  | { readonly _tag: "Rejected"; readonly error: unknown }
  | { readonly _tag: "NotNow"; readonly error: { readonly _tag: string } }
  | { readonly _tag: "Reused" }
  | { readonly _tag: "NotDone"; readonly reason: string }
  | { readonly _tag: "Unknown"; readonly reason: string }
  | { readonly _tag: "Defect"; readonly defect: unknown }

export interface Attempt {
  readonly node: string
  readonly begun: Moment
  ended: Moment | undefined
  answer: Answer
}

/** A command as it reached an aggregate, and what it was made from. */
export interface Made {
  readonly command: unknown
  readonly guards: ReadonlyArray<Guard>
}

/** What a client wanted to be done once. The events of it have its `id` as their correlation id. */
export interface SentCommand {
  readonly id: string
  readonly aggregate: AnyAggregate
  readonly streamId: StreamId
  /** Commands with the same key take effect once, all of them together. */
  readonly key: string | undefined
  readonly precondition: Precondition
  /** The request as its sender knows it, as text. */
  readonly request: string
  /** It was made by each attempt that came so far, with other guards each time. */
  readonly made: Array<Made>
  readonly attempts: Array<Attempt>
}

export interface SentRead {
  readonly aggregate: AnyAggregate
  readonly streamId: StreamId
  readonly attempt: Attempt
}

/** A follower of the log in a node, which is handed events until the node ends. */
export interface Follower {
  readonly node: string
  /** The position of the last event that it was handed. */
  position: bigint
  isAlive: boolean
}

export interface History {
  readonly commands: Array<SentCommand>
  readonly reads: Array<SentRead>
  readonly followers: Array<Follower>
  /** Faults of the program that were seen while it ran. */
  readonly findings: Array<string>
}

/** Says an answer in a few words, the same ones each time that the same seed runs. */
export const inWords = (answer: Answer): string => {
  switch (answer._tag) {
    case "Accepted":
      return `accepted at version ${answer.accepted.version} with ${answer.accepted.events.length} events`
    case "Submitted": {
      const { receipt, replayed } = answer.submitted
      return `${replayed ? "replayed" : "accepted"} at version ${receipt.version} with ${receipt.events.length} events`
    }
    case "Rejected":
    case "NotNow":
      return `${answer._tag} ${JSON.stringify(answer.error)}`
    case "NotDone":
    case "Unknown":
      return `${answer._tag} (${answer.reason})`
    case "Reused":
    case "Defect":
      return answer._tag
  }
}

export const make = (): History => ({ commands: [], reads: [], followers: [], findings: [] })
