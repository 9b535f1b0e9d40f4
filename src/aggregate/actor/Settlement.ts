/** How far the log's outcomes confirm what was judged in one drain. Pure. */
import type { Outcome } from "../../eventstore/EventStore.ts"
import type { Judgement } from "./Judgement.ts"

export type Append<J> = Extract<J, { readonly _tag: "Append" }>

/** What the log said of events that are stored. */
export interface Stored {
  readonly position: bigint
  readonly recordedAt: string
}

export interface Settlement<J> {
  /** In order; they may be answered. `stored` is there for each append. */
  readonly confirmed: ReadonlyArray<{ readonly judgement: J; readonly stored: Stored | undefined }>
  /** The first append that was not stored now, by this drain. What follows it is open. */
  readonly lost: { readonly judgement: Append<J>; readonly outcome: Outcome } | undefined
}

export const appendsOf = <J extends { readonly _tag: string }>(
  judgements: ReadonlyArray<J>
): ReadonlyArray<Append<J>> => judgements.filter((judgement): judgement is Append<J> => judgement._tag === "Append")

/** The last append whose events are said to be stored under its key: by a twin, or by this very drain, sent twice. */
export const lastKeyed = <State, Command, Event, Rejection>(
  judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>,
  outcomes: ReadonlyArray<Outcome>
) => {
  const appends = appendsOf(judgements)
  const index = appends.findLastIndex(
    ({ envelope, events }, index) =>
      outcomes[index]?._tag === "Duplicate" && envelope.keyed !== undefined && events.length > 0
  )
  const [append, outcome] = [appends[index], outcomes[index]]
  return append !== undefined && outcome?._tag === "Duplicate" ? { append, version: outcome.version } : undefined
}

/**
 * `outcomes` has one element per `Append`, in order. `own`: a keyed duplicate whose events are those decided here.
 *
 * - A duplicate that is not keyed is known by its events: it is this very append, which the log's writer sent twice. So
 *   are all before it, keyed ones too: the log stored the drain as one.
 * - Another keyed duplicate is a twin's: its events are not the ones decided here.
 * - Nothing but the first append's acceptance confirms the version that the answers before it were decided on.
 */
export const confirmedUntil = <State, Command, Event, Rejection>(
  judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>,
  outcomes: ReadonlyArray<Outcome>,
  own?: Append<Judgement<State, Command, Event, Rejection>>
): Settlement<Judgement<State, Command, Event, Rejection>> => {
  const appends = appendsOf(judgements)
  const lastOwn = appends.findLastIndex(
    (append, index) => outcomes[index]?._tag === "Duplicate" && (append.envelope.keyed === undefined || append === own)
  )
  const lost = appends.findIndex((_, index) => index > lastOwn && outcomes[index]?._tag !== "Accepted")
  const until = lost === -1 ? judgements.length : lost === 0 ? 0 : judgements.indexOf(appends[lost]!)
  let next = 0
  const confirmed = judgements.slice(0, until).map((judgement) => {
    if (judgement._tag !== "Append") return { judgement, stored: undefined }
    const outcome = outcomes[next++]!
    return { judgement, stored: "recordedAt" in outcome ? outcome : undefined }
  })
  const loser = appends[lost]
  return { confirmed, lost: loser && { judgement: loser, outcome: outcomes[lost]! } }
}
