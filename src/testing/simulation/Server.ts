/**
 * The database of a simulation, which all nodes share: the log, saved states, and the channel by which nodes tell each other
 * of new events. `MemoryLog` judges appends, as the SQL function does; `Sessions` bring the statements.
 */
import { Cause, DateTime, Queue } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Snapshot } from "../../aggregate/Snapshots.ts"
import type { EncodedEntry } from "../../eventstore/append/AppendStatement.ts"
import type { Outcome } from "../../eventstore/EventStore.ts"
import * as MemoryLog from "../../eventstore/MemoryLog.ts"
import type { Faults } from "./Faults.ts"
import { serverError, type Session, Sessions } from "./Sessions.ts"
import type { Process, World } from "./World.ts"

interface Listener {
  readonly process: Process
  readonly queue: Queue.Queue<{ readonly payload: string }, SqlError>
  /** It is connected, but hears nothing before this time. */
  deafUntil: number
}

export class Server {
  readonly world: World
  readonly process: Process
  readonly faults: Faults
  readonly sessions: Sessions
  readonly log = MemoryLog.make()
  readonly #snapshots = new Map<string, ReadonlyArray<Snapshot>>()
  readonly #listeners = new Set<Listener>()
  #lastRecorded = 0

  constructor(world: World, faults: Faults) {
    this.world = world
    this.faults = faults
    this.process = world.spawn("database")
    this.sessions = new Sessions(world, faults, this.process)
  }

  /** Does what the append function in SQL does, and fails the whole batch if there is data in it that can't be stored. */
  append(batch: ReadonlyArray<EncodedEntry>): ReadonlyArray<Outcome> {
    for (const { entry } of batch) {
      if (!MemoryLog.isStorable(entry)) throw serverError("22P05", "unsupported Unicode escape sequence")
    }
    this.#lastRecorded = Math.max(this.#lastRecorded, this.process.wallTime)
    const broken = batch.flatMap(({ entry, isAfterLost }) => (isAfterLost ? [entry.streamId] : []))
    const recordedAt = DateTime.formatIso(DateTime.makeUnsafe(this.#lastRecorded))
    const outcomes = this.log.append(
      batch.map(({ entry }) => entry),
      recordedAt,
      new Set(broken)
    )
    for (const [index, { entry }] of batch.entries()) {
      const { _tag } = outcomes[index]!
      const keyed = entry.keyed === undefined ? "" : " keyed"
      const text = `${entry.streamId} ${entry.expected}+${entry.events.length}${keyed}: ${_tag}`
      this.world.note(this.process, `${text}, the log ends at ${this.log.events.length}`)
    }
    return outcomes
  }

  /** Begins to hand what others notify to the queue, until the session ends or the function that is returned is called. */
  listen(session: Session, queue: Listener["queue"]): () => void {
    const listener: Listener = { process: session.process, queue, deafUntil: 0 }
    const end = () => void this.#listeners.delete(listener)
    this.#listeners.add(listener)
    session.onLost = (error) => {
      end()
      Queue.failCauseUnsafe(queue, Cause.fail(error))
    }
    return end
  }

  notify(payload: string): void {
    const { faults, world } = this
    for (const listener of this.#listeners) {
      if (faults.strikes("hint", 0.05)) listener.deafUntil = world.now + world.random() * 5_000
      if (world.now < listener.deafUntil || faults.strikes("hint", 0.3)) continue
      const times = faults.strikes("hint", 0.2) ? 2 : 1
      for (let time = 0; time < times; time++) {
        const delay = faults.strikes("hint", 0.2) ? world.random() * 2_000 : this.sessions.delay()
        world.after(listener.process, delay, () => Queue.offerUnsafe(listener.queue, { payload }))
      }
    }
  }

  loadSnapshot(streamId: string): Snapshot | undefined {
    const all = this.#snapshots.get(streamId) ?? []
    const found = this.faults.strikes("snapshot", 0.3) ? all[this.world.below(all.length + 1)] : all.at(-1)
    if (found === undefined || !this.faults.strikes("snapshot", 0.2)) return found
    return { ...found, fingerprint: "of another program", state: all[0]!.state }
  }

  saveSnapshot(streamId: string, snapshot: Snapshot): void {
    const all = this.#snapshots.get(streamId) ?? []
    if (this.faults.strikes("snapshot", 0.2) || all.some(({ version }) => version >= snapshot.version)) return
    const state: unknown = JSON.parse(JSON.stringify(snapshot.state))
    this.#snapshots.set(streamId, [...all, { ...snapshot, state }])
  }
}
