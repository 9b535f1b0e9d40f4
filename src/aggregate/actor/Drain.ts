/**
 * One drain: the commands that an actor takes from its mailbox at a time are decided in turn, stored by one append, and
 * confirmed as far as the event store's outcomes allow.
 *
 * Nothing is answered here, and the state that `decideAll` evolves is thrown away: an actor's state moves forward only
 * on what `reconcile` confirms.
 */
import { Effect, Result } from "effect"
import type { Entry, EventStore, Guard, Outcome } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { Aggregate } from "../Aggregate.ts"
import { GuardMoved, type SendError, VersionMismatch } from "../CommandErrors.ts"
import type { Envelope, Precondition } from "./Envelope.ts"
import * as UuidV7 from "../../eventstore/UuidV7.ts"

/**
 * - `Append`: the command was accepted, with events or to be remembered; that is true only once the event store says so.
 * - `Unchanged`: the command was accepted without an event, or it is a read.
 * - `Refuse`: the domain rejected the command, or its precondition failed.
 * - `Defect`: `decide` or `evolve` threw. It is always the last of a drain: what follows must be decided anew.
 */
export type Decided<State, Command, Event, Rejection> = {
  readonly envelope: Envelope<State, Command, Event, Rejection>
} & (
  | { readonly _tag: "Append"; readonly events: ReadonlyArray<Event>; readonly entry: Entry }
  | { readonly _tag: "Unchanged" }
  | { readonly _tag: "Refuse"; readonly error: Rejection | SendError }
  | { readonly _tag: "Defect"; readonly defect: unknown }
)

const holds = (expected: Precondition, version: number): boolean => {
  if (expected === undefined) return true
  if (expected === "exists") return version > 0
  if (expected === "absent") return version === 0
  return typeof expected === "number" ? version === expected : expected.includes(version)
}

const checkPrecondition = (expected: Precondition, version: number): VersionMismatch | undefined => {
  if (holds(expected, version)) return undefined
  const isVersion = Number.isSafeInteger(expected) && Number(expected) >= 0
  return new VersionMismatch({ ...(isVersion ? { expected: Number(expected) } : {}), currentVersion: version })
}

/** Decides the commands in turn, each on the state that the ones before it lead to. Event ids are made here. */
export const decideAll = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  current: { readonly state: State; readonly version: number; readonly recordedAt: string },
  envelopes: Iterable<Envelope<State, Command, Event, Rejection>>
): ReadonlyArray<Decided<State, Command, Event, Rejection>> => {
  const { codec, decider, owner } = aggregate
  let { state, version } = current

  const decide = (envelope: Envelope<State, Command, Event, Rejection>): Decided<State, Command, Event, Rejection> => {
    const { command, guards, keyed, metadata } = envelope
    const mismatch = checkPrecondition(envelope.precondition, version)
    // On an empty stream the domain speaks first: "not found" says more than "not at that version".
    if (mismatch !== undefined && version > 0) return { _tag: "Refuse", envelope, error: mismatch }
    if (command === undefined) return { _tag: "Unchanged", envelope }
    const result = decider.decide(command.value, state)
    if (Result.isFailure(result)) return { _tag: "Refuse", envelope, error: result.failure }
    if (mismatch !== undefined) return { _tag: "Refuse", envelope, error: mismatch }
    const events = result.success
    if (events.length === 0 && keyed === undefined) return { _tag: "Unchanged", envelope }
    // These times are provisional: the event store stamps the events.
    const next = events.reduce((state, event) => decider.evolve(state, event, current.recordedAt), state)
    const { commandId } = metadata
    const accepted = { state: next, version: version + events.length, commandId, events }
    const customerId = owner?.(next)
    const entry: Entry = {
      streamId,
      expected: version,
      commandId,
      ...(keyed === undefined ? {} : { keyed: { fingerprint: keyed.fingerprint, receipt: keyed.receipt(accepted) } }),
      ...(guards === undefined ? undefined : { guards }),
      events: events.map((event) => ({ eventId: UuidV7.make(), ...codec.encode(event) })),
      metadata: customerId === undefined ? metadata : { ...metadata, customerId }
    }
    state = next
    version = accepted.version
    return { _tag: "Append", envelope, events, entry }
  }

  const decided: Array<Decided<State, Command, Event, Rejection>> = []
  for (const envelope of envelopes) {
    const result = Result.try(() => decide(envelope))
    decided.push(Result.isSuccess(result) ? result.success : { _tag: "Defect", envelope, defect: result.failure })
    if (Result.isFailure(result)) break
  }
  return decided
}

/** A command that was decided in time gets at least so many milliseconds to be stored. */
const grace = 1_000

/**
 * Stores the decided events as one unit of work; gives up at the earliest deadline among the commands. Returns one
 * outcome for each `Append`.
 */
export const append = <State, Command, Event, Rejection>(
  store: EventStore["Service"],
  decided: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
  now: number
) => {
  const entries = decided.flatMap((one) => (one._tag === "Append" ? [one.entry] : []))
  const earliest = decided.reduce((least, { envelope }) => Math.min(least, envelope.deadline), Infinity)
  return store.append(entries, Math.max(earliest - now, grace))
}

/**
 * Asks the log for the versions of guarded streams, and returns the first that has moved. The question comes after the
 * decision: versions only grow, so a guard that holds now held when the command was decided.
 */
export const findMoved = (store: EventStore["Service"], guards: ReadonlyArray<Guard>) =>
  Effect.forEach(guards, ({ streamId }) => store.currentVersion(streamId), { concurrency: "unbounded" }).pipe(
    Effect.map((versions) => {
      const moved = guards.findIndex(({ version }, index) => version !== versions[index])
      return moved < 0 ? undefined : new GuardMoved({ ...guards[moved]!, version: versions[moved]! })
    })
  )

/** The event store has stored these events of a command. */
export interface Stored {
  readonly position: bigint
  /** The id of the last one. */
  readonly eventId: string | undefined
  readonly recordedAt: string
}

/** The event store did not store this command in this drain. */
export interface Lost<State, Command, Event, Rejection> {
  readonly envelope: Envelope<State, Command, Event, Rejection>
  readonly outcome: Exclude<Outcome, { readonly _tag: "Accepted" }>
}

type Confirmed<State, Command, Event, Rejection> =
  | Exclude<Decided<State, Command, Event, Rejection>, { readonly _tag: "Append" }>
  | (Extract<Decided<State, Command, Event, Rejection>, { readonly _tag: "Append" }> & { readonly stored: Stored })

/**
 * Compares what was decided with the event store's outcomes, one for each `Append`, in order. Pure.
 *
 * - The event store knows an unkeyed command by its events. So an unkeyed duplicate is this very command, which the
 *   writer sent twice, and all that was decided before it is stored as well.
 * - A keyed duplicate after that may be a twin's, with other events than those decided here, so it is not confirmed.
 * - Only a stored append confirms the version that the answers before it were decided on. So if the first append was
 *   lost, nothing is confirmed.
 */
export const reconcile = <State, Command, Event, Rejection>(
  decided: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
  outcomes: ReadonlyArray<Outcome>
): {
  /** These may be answered, in this order. */
  readonly confirmed: ReadonlyArray<Confirmed<State, Command, Event, Rejection>>
  /**
   * The first command that this drain did not store, and every keyed one after it that is stored under its key. What else
   * was decided after the first must be decided anew.
   */
  readonly lost: ReadonlyArray<Lost<State, Command, Event, Rejection>>
} => {
  const appends = decided.filter(({ _tag }) => _tag === "Append")
  const lastResent = appends.findLastIndex(
    ({ envelope }, index) => envelope.keyed === undefined && outcomes[index]?._tag === "Duplicate"
  )
  const confirmed: Array<Confirmed<State, Command, Event, Rejection>> = []
  let index = 0
  for (const one of decided) {
    if (one._tag !== "Append") {
      confirmed.push(one)
      continue
    }
    const outcome = outcomes[index]!
    if (outcome._tag !== "Accepted" && (outcome._tag !== "Duplicate" || index > lastResent)) {
      const later = appends.slice(index + 1).flatMap(({ envelope }, offset): ReadonlyArray<typeof first> => {
        const outcome = outcomes[index + 1 + offset]
        return envelope.keyed !== undefined && outcome?._tag === "Duplicate" ? [{ envelope, outcome }] : []
      })
      const first: Lost<State, Command, Event, Rejection> = { envelope: one.envelope, outcome }
      return { confirmed: index === 0 ? [] : confirmed, lost: [first, ...later] }
    }
    confirmed.push({ ...one, stored: { ...outcome, eventId: one.entry.events.at(-1)?.eventId } })
    index += 1
  }
  return { confirmed, lost: [] }
}
