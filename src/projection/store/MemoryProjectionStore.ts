/**
 * Keeps checkpoints, leases, parked streams and the rows of folds in memory, for tests and trials, by the same rules as
 * `SqlProjectionStore`. The log is the one of `EventStore`. Nothing survives the process; what hosts share is a `Memory`.
 */
import { Duration, Effect, Layer } from "effect"
import { EventStore } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ConsistencyToken from "../consistency/ConsistencyToken.ts"
import type { LogPoint } from "../LogPoint.ts"
import { type CheckpointKey, type Consumer, isSubscription, type ProjectionKey, type Start } from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import { type CheckpointRow, entryKey, keyOf, Memory, nowText } from "./Memory.ts"
import * as MemoryLogPages from "./MemoryLogPages.ts"
import * as MemoryParkedStreams from "./MemoryParkedStreams.ts"
import { countParked, parkedOf } from "./MemoryParkedStreams.ts"
import { type ProjectionRow, type ProjectionSession, ProjectionStore } from "./ProjectionStore.ts"

export { Memory } from "./Memory.ts"

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const memory = yield* Memory
  const { clock, tables } = memory
  const { read, transaction, write } = tables
  const leaseMillis = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

  const isOfHistory = ({ eventId, position }: LogPoint) =>
    eventId === null
      ? Effect.succeed(true)
      : Effect.map(ConsistencyToken.eventIdAt(log, position), (found) => found === eventId)

  const stored: ProjectionSession["stored"] = Effect.fnUntraced(function* (key) {
    const found = yield* read((tables) => ({
      row: tables.checkpoints.get(keyOf(key)),
      parked: countParked(tables, key.name)
    }))
    if (found.row === undefined) return undefined
    const { logId: checkpointLogId, owner, paused, position, problem, version } = found.row
    const { logId, position: head } = yield* log.head
    return {
      logId,
      head,
      checkpointLogId,
      position,
      version,
      isOfHistory: yield* isOfHistory(found.row),
      paused,
      parked: found.parked,
      owner,
      problem
    }
  })

  const pointOf = Effect.fnUntraced(function* (start: Start) {
    if (start === "start") return { position: 0n, eventId: null }
    const { logId, position: head } = yield* log.head
    const token = start === "end" ? undefined : yield* Effect.fromResult(ConsistencyToken.parse(start))
    const position = token?.position ?? head
    const eventId = yield* ConsistencyToken.eventIdAt(log, position)
    if (token !== undefined && !ConsistencyToken.isOf(token, logId, eventId)) {
      return yield* ConsistencyToken.refused(token)
    }
    return { position, eventId: eventId ?? null }
  })

  const setUp: ProjectionSession["setUp"] = Effect.fnUntraced(function* (consumer: Consumer) {
    const { name, version } = consumer
    const { logId } = yield* log.head
    const point: LogPoint = isSubscription(consumer)
      ? yield* Checkpoint.orStopped(name, pointOf(consumer.start))
      : { position: 0n, eventId: null }
    yield* write(({ checkpoints }) => {
      const key = keyOf({ name, slot: "live" })
      if (checkpoints.get(key) !== undefined) return
      const fresh = { owner: null, until: -Infinity, paused: false, problem: null, updatedAt: nowText(clock) }
      checkpoints.set(key, { projection: name, version, logId, ...point, ...fresh })
    })
  })

  /** Changes a row in place, if it is as expected; true if it did. */
  const change = (
    key: Pick<CheckpointKey, "name" | "slot">,
    next: (row: CheckpointRow) => CheckpointRow | undefined
  ): Effect.Effect<boolean> =>
    write(({ checkpoints }) => {
      const row = checkpoints.get(keyOf(key))
      const changed = row && next(row)
      if (changed !== undefined) checkpoints.set(keyOf(key), changed)
      return changed !== undefined
    })

  const leaseEnd = Effect.map(ProjectionLimits, ({ lease }) => leaseMillis() + Duration.toMillis(lease))

  const advance: ProjectionSession["advance"] = Effect.fnUntraced(function* (key, owner, from, to) {
    const until = yield* leaseEnd
    const { eventId, position } = to
    const isMoved = yield* change(key, (row) =>
      row.version === key.version &&
      row.owner === owner &&
      row.logId === from.logId &&
      row.position === from.position &&
      !row.paused
        ? { ...row, position, eventId, until, problem: null, updatedAt: nowText(clock) }
        : undefined
    )
    if (!isMoved) return yield* new Checkpoint.CheckpointMoved()
    const { logId, position: head } = yield* log.head
    yield* Checkpoint.checkHistory(key.name, from, to, {
      logId,
      head,
      isOfHistory: yield* isOfHistory({ position, eventId })
    })
    return { head, parked: yield* read((tables) => countParked(tables, key.name)) }
  })

  const takeLease: ProjectionSession["takeLease"] = (key, owner) =>
    Effect.flatMap(leaseEnd, (until) =>
      change(key, (row) =>
        row.version === key.version && (row.owner === null || row.owner === owner || row.until < leaseMillis())
          ? { ...row, owner, until }
          : undefined
      )
    )

  const session: ProjectionSession = {
    transaction,
    stored,
    lock: stored,
    setUp,
    advance,
    stop: (key, problem) => change(key, (row) => (row.version === key.version ? { ...row, problem } : undefined)),
    takeLease,
    renewLease: takeLease,
    releaseLease: (key, owner) =>
      change(key, (row) => (row.owner === owner ? { ...row, owner: null, until: -Infinity } : undefined)),
    parked: MemoryParkedStreams.make(memory),
    ...MemoryLogPages.make(log, memory),
    apply: ({ fold, name }, events) =>
      write(({ entries }) => {
        if (fold === undefined) throw new Error(`The projection ${name} keeps its rows in SQL; run it on a database.`)
        for (const event of events) {
          const { streamId } = event
          const key = entryKey(name, streamId)
          const entry = fold.evolve(entries.get(key)?.entry, event)
          entries.set(key, entry === undefined ? undefined : { projection: name, streamId, entry })
        }
      }),
    skip: ({ fold, name }, event) =>
      write(({ entries }) => {
        const { streamId } = event
        const known = entries.get(entryKey(name, streamId))
        if (known === undefined || fold === undefined) return
        entries.set(entryKey(name, streamId), { ...known, entry: fold.skip(known.entry, event) })
      }),
    reached: () => Effect.void,
    fit: () => Effect.void,
    requestRebuild: () => Effect.succeed(false)
  }

  const row = Effect.fnUntraced(function* ({ name }: ProjectionKey) {
    const { logId, position: head } = yield* log.head
    const known = yield* stored({ name, slot: "live" })
    const kept = yield* read(({ checkpoints }) => checkpoints.get(keyOf({ name, slot: "live" })))
    const position = known?.position ?? 0n
    const [oldest] = yield* log.readAll({ after: position, limit: 1 })
    const age =
      oldest === undefined ? 0 : Math.max(0, clock.currentTimeMillisUnsafe() - Date.parse(oldest.recordedAt)) / 1_000
    const found: ProjectionRow = {
      name,
      head,
      logId,
      position,
      behind: head > position ? Number(head - position) : 0,
      lag: age,
      parked: known?.parked ?? 0,
      isOfHistory: known?.isOfHistory ?? true,
      isBlocked: false,
      isGivenUp: false,
      ...(known === undefined || kept === undefined
        ? {}
        : {
            version: known.version,
            checkpointLogId: known.checkpointLogId,
            paused: known.paused,
            updatedAt: kept.updatedAt,
            ...(known.problem === null ? {} : { problem: known.problem })
          })
    }
    return found
  })

  return ProjectionStore.of({
    shared: session,
    withSession: (use) => use(session),
    maxBatch: MemoryLogPages.maxBatch,
    positions: Effect.gen(function* () {
      const rows = yield* read(({ checkpoints }) => [...checkpoints.all().values()])
      const { logId, position: head } = yield* log.head
      const valid = yield* Effect.filter(rows, (row) =>
        row.logId === logId && row.position <= head ? isOfHistory(row) : Effect.succeed(false)
      )
      return valid.map(({ position, projection }) => ({ projection, position }))
    }),
    rows: (consumers) =>
      Effect.forEach(
        consumers.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
        row
      ),
    setPaused: (name, paused) =>
      change({ name, slot: "live" }, (row) => ({ ...row, paused, problem: paused ? row.problem : null })),
    rewind: Effect.fnUntraced(function* (name, to) {
      const { logId } = yield* log.head
      const point = yield* pointOf(to)
      yield* transaction(
        Effect.andThen(
          write((tables) => {
            for (const { id, position } of parkedOf(tables, name)) {
              if (position > point.position) tables.parked.set(id, undefined)
            }
          }),
          change({ name, slot: "live" }, (row) => ({
            ...row,
            ...point,
            logId,
            problem: null,
            updatedAt: nowText(clock)
          }))
        )
      )
    })
  })
})

/** Provides the store over the log; `Memory` is what hosts share. */
export const layerNoDeps = Layer.effect(ProjectionStore, make)

export const layer = Layer.provide(layerNoDeps, Memory.layer)
