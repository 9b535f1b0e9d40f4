/**
 * Decides the commands of one drain in turn, on a state that evolves as they are accepted. Pure: nothing is stored and
 * nothing is answered here, and the state that evolves here is thrown away (its times are provisional).
 */
import { Result } from "effect"
import { SecureRandom } from "effect/crypto"
import type { Entry } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { Aggregate } from "../Aggregate.ts"
import type { Envelope, Keyed, Precondition } from "./Envelope.ts"
import { type SendError, VersionMismatch } from "../CommandErrors.ts"

/**
 * - `Append`: accepted, with events or to be remembered; true only once the log says so.
 * - `Unchanged`: accepted without an event, or a read.
 * - `Refuse`: a rejection or a failed precondition.
 * - `Defect`: `decide` or `evolve` threw. Always the last of a drain: what follows must be decided anew.
 */
export type Judgement<State, Command, Event, Rejection> = {
  readonly envelope: Envelope<State, Command, Event, Rejection>
} & (
  | { readonly _tag: "Append"; readonly events: ReadonlyArray<Event>; readonly entry: Entry }
  | { readonly _tag: "Unchanged" }
  | { readonly _tag: "Refuse"; readonly error: Rejection | SendError }
  | { readonly _tag: "Defect"; readonly defect: unknown }
)

const precondition = (expected: Precondition, version: number): VersionMismatch | undefined => {
  const holds =
    expected === undefined ||
    (expected === "exists" ? version > 0 : expected === "absent" ? version === 0 : version === expected)
  if (holds) return undefined
  const isVersion = typeof expected === "number" && expected >= 0
  return new VersionMismatch({ ...(isVersion ? { expected } : {}), currentVersion: version })
}

export const judge = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  current: { readonly state: State; readonly version: number; readonly recordedAt: string },
  envelopes: ReadonlyArray<Envelope<State, Command, Event, Rejection>>
): ReadonlyArray<Judgement<State, Command, Event, Rejection>> => {
  const { decider, codec } = aggregate
  const judgements: Array<Judgement<State, Command, Event, Rejection>> = []
  let { state, version } = current

  const remembered = (keyed: Keyed<State, Event>, state: State, events: ReadonlyArray<Event>, commandId: string) => ({
    fingerprint: keyed.fingerprint,
    receipt: keyed.receipt({ state, version: version + events.length, commandId, events })
  })

  const judgeOne = (
    envelope: Envelope<State, Command, Event, Rejection>
  ): Judgement<State, Command, Event, Rejection> => {
    const mismatch = precondition(envelope.precondition, version)
    // On an empty stream the domain speaks first: "not found" says more than "not at that version".
    if (mismatch !== undefined && version > 0) return { _tag: "Refuse", envelope, error: mismatch }
    if (envelope.command === undefined) return { _tag: "Unchanged", envelope }
    const decided = decider.decide(envelope.command.value, state)
    if (Result.isFailure(decided)) return { _tag: "Refuse", envelope, error: decided.failure }
    if (mismatch !== undefined) return { _tag: "Refuse", envelope, error: mismatch }
    const events = decided.success
    if (events.length === 0 && envelope.keyed === undefined) return { _tag: "Unchanged", envelope }
    const next = events.reduce((state, event) => decider.evolve(state, event, current.recordedAt), state)
    const customerId = aggregate.owner?.(next)
    const { commandId } = envelope.metadata
    const entry: Entry = {
      streamId,
      expected: version,
      commandId,
      ...(envelope.keyed === undefined ? {} : { keyed: remembered(envelope.keyed, next, events, commandId) }),
      events: events.map((event) => ({ eventId: SecureRandom.uuidV7Unsafe(), ...codec.encode(event) })),
      metadata: customerId === undefined ? envelope.metadata : { ...envelope.metadata, customerId }
    }
    state = next
    version += events.length
    return { _tag: "Append", envelope, events, entry }
  }

  for (const envelope of envelopes) {
    const judged = Result.try(() => judgeOne(envelope))
    judgements.push(Result.isSuccess(judged) ? judged.success : { _tag: "Defect", envelope, defect: judged.failure })
    if (Result.isFailure(judged)) break
  }
  return judgements
}
