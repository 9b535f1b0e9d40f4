/**
 * Keeps checkpoints, leases, parked streams and the rows of folds in memory, for tests and trials, by the same rules as
 * `SqlProjectionStore`. The log is the one of `EventStore`. Nothing survives the process; what several hosts in one process
 * share, as processes share a database, is a `Memory`.
 */
import { Clock, Context, DateTime, Duration, Effect, Layer } from "effect"
import { EventStore, type RecordedEvent } from "../../eventstore/EventStore.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import * as UuidV7 from "../../eventstore/UuidV7.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ConsistencyToken from "../consistency/ConsistencyToken.ts"
import type { LogPoint } from "../LogPoint.ts"
import { unknownReason } from "../parking/ParkedRows.ts"
import type { ParkedStream } from "../parking/ParkedStreams.ts"
import {
  type CheckpointKey,
  type Consumer,
  handles,
  isSubscription,
  type ProjectionKey,
  type Start
} from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import * as MemoryTables from "./MemoryTables.ts"
import { type ProjectionRow, type ProjectionSession, ProjectionStore } from "./ProjectionStore.ts"

/** A checkpoint as it is kept. */
interface CheckpointRow extends LogPoint {
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

/** The hosts on one log share these: the tables, and the clock that leases end by. */
export class Memory extends Context.Service<
  Memory,
  { readonly tables: MemoryTables.MemoryTables<Rows>; readonly clock: Clock.Clock }
>()("ordinal/projection/store/MemoryProjectionStore/Memory") {
  static readonly make = (clock: Clock.Clock) =>
    Memory.of({ tables: MemoryTables.make<Rows>(["checkpoints", "parked", "entries"]), clock })
  static readonly layer = Layer.effect(Memory, Effect.map(Clock.Clock, Memory.make))
}

type Tables = MemoryTables.Tables<Rows>

const keyOf = ({ name, slot }: Pick<CheckpointKey, "name" | "slot">) => `${slot} ${name}`
const entryKey = (projection: string, streamId: string) => `${projection} ${streamId}`

const parkedOf = (tables: Tables, projection: string) =>
  [...tables.parked.all().values()]
    .filter((parked) => parked.projection === projection)
    .toSorted((left, right) => Number(left.position - right.position))

const findParked = (tables: Tables, projection: string, streamId: string) =>
  parkedOf(tables, projection).find((parked) => parked.streamId === streamId)

const countParked = (tables: Tables, projection: string) =>
  parkedOf(tables, projection).filter(({ parked }) => parked).length

/** No more events than this are applied at once, so that everybody else has a turn. */
const maxBatch = 500

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const { clock, tables } = yield* Memory
  const { read, transaction, write } = tables
  const leaseMillis = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  const nowText = () => DateTime.formatIso(DateTime.makeUnsafe(clock.currentTimeMillisUnsafe()))

  const eventAt = (position: bigint) =>
    position === 0n
      ? Effect.undefined
      : Effect.map(log.readAll({ after: position - 1n, limit: 1 }), ([event]) =>
          event?.position === position ? event : undefined
        )

  const isOfHistory = ({ eventId, position }: LogPoint) =>
    eventId === null ? Effect.succeed(true) : Effect.map(eventAt(position), (event) => event?.eventId === eventId)

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
    const eventId = (yield* eventAt(position))?.eventId
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
      const fresh = { owner: null, until: -Infinity, paused: false, problem: null, updatedAt: nowText() }
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
        ? { ...row, position, eventId, until, problem: null, updatedAt: nowText() }
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

  const changeParked = (id: string, next: (parked: ParkedStream) => ParkedStream | undefined) =>
    write(({ parked }) => {
      const row = parked.get(id)
      if (row !== undefined) parked.set(id, next(row))
    })

  const setAside = (
    name: string,
    { event, reason }: { readonly event: RecordedEvent; readonly reason: string },
    next: (known: ParkedStream | undefined, fresh: ParkedStream) => ParkedStream
  ) =>
    write((tables) => {
      const { position, streamId, version } = event
      const known = findParked(tables, name, streamId)
      const fresh: ParkedStream = {
        id: known?.id ?? UuidV7.make(),
        projection: name,
        streamId,
        version,
        position,
        reason,
        parkedAt: nowText(),
        retries: 0,
        parked: true,
        degraded: known?.degraded ?? false,
        skipped: known?.skipped ?? []
      }
      tables.parked.set(fresh.id, next(known, fresh))
    })

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
    parked: {
      among: ({ name }, streamIds) =>
        read((tables) => {
          const asked = new Set(streamIds)
          const parked = parkedOf(tables, name).filter(({ parked, streamId }) => parked && asked.has(streamId))
          return new Set(parked.map(({ streamId }) => streamId))
        }),
      isSkipped: (name, { streamId, version }) =>
        read((tables) => findParked(tables, name, streamId)?.skipped.includes(version) === true),
      park: ({ name }, culprit) => setAside(name, culprit, (known, fresh) => (known?.parked === true ? known : fresh)),
      recordSkip: ({ name }, culprit) =>
        setAside(name, culprit, (known, fresh) => ({
          ...(known ?? { ...fresh, parked: false }),
          degraded: true,
          skipped: [...fresh.skipped, culprit.event.version]
        })),
      parkedAt: (name, streamId) =>
        read((tables) => {
          const known = findParked(tables, name, streamId)
          return known?.parked === true ? known.position : undefined
        }),
      list: (id) =>
        read(({ parked }) =>
          [...parked.all().values()]
            .filter((row) => id === undefined || row.id === id)
            .toSorted((left, right) =>
              left.projection === right.projection
                ? Number(left.position - right.position)
                : left.projection < right.projection
                  ? -1
                  : 1
            )
        ),
      unknown: (name) =>
        read((tables) =>
          parkedOf(tables, name)
            .filter(({ parked, reason }) => parked && reason.startsWith(unknownReason))
            .map(({ id }) => id)
        ),
      failsAt: (id, { event: { position, version }, reason }) =>
        changeParked(id, (row) => ({ ...row, version, position, reason, retries: row.retries + 1 })),
      advance: (id, { position, version }) =>
        changeParked(id, (row) => ({ ...row, version: version + 1, position: position + 1n })),
      unpark: ({ id }) => changeParked(id, (row) => (row.degraded ? { ...row, parked: false } : undefined))
    },
    ofStream: Effect.fnUntraced(function* (streamId, from, upTo, limit) {
      const found: Array<RecordedEvent> = []
      for (let [after, hasMore] = [from - 1, true]; hasMore && found.length < limit;) {
        const page = yield* log.readStream(StreamId.StreamId.make(streamId), { after, limit: limit - found.length })
        found.push(...page.events)
        hasMore = page.hasMore
        after = found.at(-1)?.version ?? after
      }
      return found.filter(({ position }) => position <= upTo)
    }),
    nextOfOthers: Effect.fnUntraced(function* (consumer, key, after, except) {
      for (let from = after; ;) {
        const page = yield* log.readAll({ after: from, limit: maxBatch })
        const parked = yield* session.parked.among(
          key,
          page.map(({ streamId }) => streamId)
        )
        const isOther = (event: RecordedEvent) =>
          handles(consumer, event) && !except.includes(event.streamId) && !parked.has(event.streamId)
        const found = page.find(isOther)
        const last = page.at(-1)
        if (found !== undefined || last === undefined) return found
        from = last.position
      }
    }),
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
    maxBatch,
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
            updatedAt: nowText()
          }))
        )
      )
    })
  })
})

/** Provides the store over the log; `Memory` is what hosts share. */
export const layerNoDeps = Layer.effect(ProjectionStore, make)

export const layer = Layer.provide(layerNoDeps, Memory.layer)
