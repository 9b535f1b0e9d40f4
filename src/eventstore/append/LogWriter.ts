/**
 * Appends to the log of a database and tells this process's readers: lanes, their group commit and the signal, put together
 * over what the database offers. `SqlEventStore` builds it over SQL, and the simulator of `testing` over a simulated server.
 */
import { Effect, type Option } from "effect"
import * as OutageLog from "../../supervision/OutageLog.ts"
import * as LogSignal from "../tail/LogSignal.ts"
import * as AppendLane from "./AppendLane.ts"
import * as GroupCommit from "./GroupCommit.ts"

/** A database's part in appending. */
export interface Port {
  /** Appends travel over so many connections at once. */
  readonly lanes: number
  readonly connect: AppendLane.Connect
  /** It is absent if no other process can append. */
  readonly channel: Option.Option<LogSignal.Channel>
}

/** Returns `append`, the log of its outages, and the hints and listeners of `EventStore`. */
export const make = Effect.fnUntraced(function* ({ channel, connect, lanes }: Port, limits: GroupCommit.Limits) {
  const { grown, onAppended, reconnected, stored } = yield* LogSignal.make(channel)
  const outage = OutageLog.make("Appending to the log")
  const makeLane = Effect.suspend(() => {
    let connections = 0
    const connectAgain = Effect.tap(connect, () =>
      Effect.sync(() => {
        if (++connections > 1) reconnected()
      })
    )
    return AppendLane.make(connectAgain, stored, outage)
  })
  const made = yield* Effect.all(Array.from({ length: lanes }, () => makeLane))
  return { append: yield* GroupCommit.make(made, limits), grown, onAppended, outage }
})
