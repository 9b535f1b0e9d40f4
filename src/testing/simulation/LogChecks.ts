/**
 * Checks the log of a simulation by itself and against what was sent: versions without gaps, one effect for each command, no
 * event that nobody asked for, each decided on the state that was there, with its precondition and guards held at the commit.
 */
import { Equal, Result } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"
import type { AnyAggregate, Made, SentCommand } from "./History.ts"

/** A stream with all its states: `states[n]` is the one at version `n`. */
export interface StreamStates {
  readonly events: ReadonlyArray<RecordedEvent>
  readonly states: ReadonlyArray<unknown>
}

/** The events of one command, which one append has stored. */
export interface Batch {
  readonly events: ReadonlyArray<RecordedEvent>
  readonly from: RecordedEvent
  readonly to: RecordedEvent
}

export interface Log {
  readonly events: ReadonlyArray<RecordedEvent>
  /** Reads a stream, whose states are folded when they are first asked for. */
  readonly stream: (aggregate: AnyAggregate, streamId: string) => StreamStates
  /** The version of a stream when the log ended at a position. */
  readonly versionAt: (streamId: string, position: number) => number
}

const jsonOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null")

export const readLog = (events: ReadonlyArray<RecordedEvent>): Log => {
  const streams = new Map<string, Array<RecordedEvent>>()
  for (const event of events) {
    const stream = streams.get(event.streamId)
    if (stream === undefined) streams.set(event.streamId, [event])
    else stream.push(event)
  }
  const folded = new Map<string, StreamStates>()
  return {
    events,
    stream: ({ codec, decider }, streamId) => {
      const known = folded.get(streamId)
      if (known !== undefined) return known
      const events = streams.get(streamId) ?? []
      const states = [decider.initialState]
      for (const event of events) states.push(decider.evolve(states.at(-1), codec.decode(event), event.recordedAt))
      const made = { events, states }
      folded.set(streamId, made)
      return made
    },
    versionAt: (streamId, position) => {
      const after = (streams.get(streamId) ?? []).findIndex((event) => Number(event.position) > position)
      return after < 0 ? (streams.get(streamId)?.length ?? 0) : after
    }
  }
}

export const holds = (expected: Precondition, version: number): boolean => {
  if (expected === undefined) return true
  if (expected === "exists") return version > 0
  if (expected === "absent") return version === 0
  return [expected].flat().includes(version)
}

/** Decides a command as the node did; a decider that throws gives nothing that could have been answered. */
export const decide = ({ decider }: AnyAggregate, command: unknown, state: unknown) =>
  Result.getOrUndefined(Result.try(() => decider.decide(command, state)))

/** Checks that a command was decided rightly: these events follow from it at the version before them. */
const isOf = (log: Log, { aggregate, precondition, streamId }: SentCommand, { events, from }: Batch, made: Made) => {
  const version = from.version - 1
  const state = log.stream(aggregate, streamId).states[version]
  const decided = decide(aggregate, made.command, state)
  if (decided === undefined || Result.isFailure(decided) || !holds(precondition, version)) return false
  const encoded = decided.success.map((event) => jsonOf(aggregate.codec.encode(event)))
  const stored = events.map(({ data, schemaVersion, type }) => ({ type, schemaVersion, data }))
  const before = Number(from.position) - 1
  return (
    Equal.equals(encoded, stored) &&
    made.guards.every(({ streamId, version }) => log.versionAt(streamId, before) === version)
  )
}

/** Finds the events of each command, and reports what is wrong with the log. */
export const check = (log: Log, commands: ReadonlyArray<SentCommand>, report: (finding: string) => void) => {
  const versions = new Map<string, number>()
  const byCommand = new Map<string, Array<RecordedEvent>>()
  for (const [index, event] of log.events.entries()) {
    const version = (versions.get(event.streamId) ?? 0) + 1
    versions.set(event.streamId, version)
    if (event.version !== version) report(`${event.streamId}: version ${event.version} follows ${version - 1}`)
    if (Number(event.position) !== index + 1) report(`position ${event.position} is the number ${index + 1}`)
    const { correlationId } = event.metadata
    byCommand.set(correlationId, [...(byCommand.get(correlationId) ?? []), event])
  }

  const batches = new Map<SentCommand, Batch>()
  const known = new Map(commands.map((command) => [command.id, command]))
  for (const [id, events] of byCommand) {
    const command = known.get(id)
    const [from, to] = [events[0]!, events.at(-1)!]
    if (command === undefined) {
      report(`${from.streamId}: version ${from.version} is of "${id}", which nobody has sent`)
      continue
    }
    const isOneBatch =
      Number(to.position - from.position) === events.length - 1 &&
      events.every(
        ({ metadata, streamId }) => streamId === command.streamId && metadata.commandId === from.metadata.commandId
      )
    if (!isOneBatch) {
      report(`${id} took effect more than once, or in pieces: at positions ${events.map(({ position }) => position)}`)
      continue
    }
    const batch = { events, from, to }
    batches.set(command, batch)
    if (!command.made.some((made) => isOf(log, command, batch, made))) {
      report(
        `${id} was not decided on version ${from.version - 1} of ${command.streamId}, its precondition did not hold
 there, or a guard had moved`.replace("\n", "")
      )
    }
    const [first] = command.attempts
    if (first === undefined || first.begun.position >= Number(from.position)) {
      report(`${id} is in the log at position ${from.position}, before it was sent`)
    }
  }

  const byKey = new Map<string, Array<SentCommand>>()
  for (const command of batches.keys()) {
    if (command.key === undefined) continue
    const key = `${command.streamId} ${command.key}`
    byKey.set(key, [...(byKey.get(key) ?? []), command])
  }
  for (const [key, same] of byKey) {
    if (same.length > 1) report(`the key "${key}" took effect ${same.length} times: ${same.map(({ id }) => id).join()}`)
  }
  return batches
}
