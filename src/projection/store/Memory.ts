/**
 * What a kernel in memory keeps of its projections: the rows of checkpoints, of parked streams and of folds, and the clock
 * that leases end by. Hosts on one log share it, as processes share a database.
 */
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import type { LogPoint } from "../LogPoint.ts"
import type { ParkedStream } from "../parking/ParkedStreams.ts"
import type { CheckpointKey } from "../Projection.ts"
import * as MemoryTables from "./MemoryTables.ts"

/** A checkpoint as it is kept. */
export interface CheckpointRow extends LogPoint {
  readonly projection: string
  readonly version: number
  readonly logId: string
  readonly owner: string | null
  /** The lease ends at this time of the monotonic clock, in milliseconds. */
  readonly until: number
  readonly paused: boolean
  readonly problem: string | null
  readonly updatedAt: string
}

interface Rows {
  readonly checkpoints: CheckpointRow
  readonly parked: ParkedStream
  /** The rows of folds, by projection and stream. */
  readonly entries: { readonly projection: string; readonly streamId: string; readonly entry: unknown }
}

export type Tables = MemoryTables.Tables<Rows>

export class Memory extends Context.Service<
  Memory,
  { readonly tables: MemoryTables.MemoryTables<Rows>; readonly clock: Clock.Clock }
>()("ordinal/projection/store/Memory") {
  static readonly make = (clock: Clock.Clock) =>
    Memory.of({ tables: MemoryTables.make<Rows>(["checkpoints", "parked", "entries"]), clock })
  static readonly layer = Layer.effect(Memory, Effect.map(Clock.Clock, Memory.make))
}

export const keyOf = ({ name, slot }: Pick<CheckpointKey, "name" | "slot">) => `${slot} ${name}`

/** The row of a stream in a fold has this key. */
export const entryKey = (projection: string, streamId: string) => `${projection} ${streamId}`

export const nowText = (clock: Clock.Clock) => DateTime.formatIso(DateTime.makeUnsafe(clock.currentTimeMillisUnsafe()))
