/**
 * The collections of the order view: `order_view`, which is read, and `order_view_shadow`, which a rebuild fills and which
 * is then renamed. Leases, parked streams, rebuilds and the checkpoint that moves by compare-and-set stay in the database of
 * the log, so that there is one truth of them. Each collection has a note of its own in the document `checkpoint`: how far
 * its rows are for certain. It is written after the rows and before the transaction that moves the checkpoint commits; a
 * rename puts rows and note in place at once, and is done when it is repeated.
 */
import type * as Library from "mongodb"
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as Checkpoint from "../projection/Checkpoint.ts"
import type { ProjectionKey, ProjectionTables, RowsElsewhere, Slot } from "../projection/Projection.ts"
import * as RebuildRows from "../projection/rebuild/RebuildRows.ts"
import * as LogPages from "../projection/run/LogPages.ts"
import { ask, askAgain, away, byMajority, type MongoDb } from "./MongoDb.ts"
import { indexes, noteId, type OrderDocument, type Place } from "./OrderDocument.ts"

const names: Readonly<Record<Slot, string>> = { live: "order_view", shadow: "order_view_shadow" }

/** The rows of a collection are written up to this position of this log, but for parked streams. */
export interface Note {
  readonly _id: typeof noteId
  /** A later collection has a greater number, which its rows carry: a deposed process can't write over newer ones. */
  readonly build: number
  /** The greatest number that was given to a collection. */
  readonly builds: number
  /** The rebuild that made it; null for the first one. */
  readonly rebuild: string | null
  /** The version of the projection that makes its rows. */
  readonly version: number
  readonly logId: string
  /** The last position, and the id of the event there. */
  readonly reached: bigint
  readonly eventId: string | null
}

/**
 * Gives the number of a collection where no note tells the numbers before it. Those were counted up from 1, or began at such a
 * number at an earlier loss: all are smaller unless the clock was set back, or a second has two losses.
 */
const numberAfterLoss = () => Math.max(1, Math.floor((Date.now() - Date.UTC(2026, 0)) / 1_000))

export const make = ({ database }: MongoDb, { name, version }: ProjectionKey) => {
  const rowsOf = (slot: Slot) => database.collection<OrderDocument>(names[slot])
  const notesOf = (slot: Slot) => database.collection<Note>(names[slot])
  /** The collection that was last written to, until its note is written. */
  const used = new Map<Slot, Place>()

  const noteOf = (slot: Slot) => askAgain(() => notesOf(slot).findOne({ _id: noteId }))
  const isNone = (slot: Slot, filter: Library.Filter<OrderDocument>) =>
    Effect.map(
      askAgain(() => rowsOf(slot).findOne({ $and: [{ _id: { $ne: noteId } }, filter] })),
      (row) => row === null
    )
  const isEmpty = (slot: Slot) => isNone(slot, {})
  /** Somebody else made it. What a process that was deposed has written into a collection that was dropped is ours. */
  const isForeign = Effect.fnUntraced(function* (slot: Slot) {
    return (yield* noteOf(slot)) === null && !(yield* isNone(slot, { revision: { $exists: false } }))
  })

  const logId = (sql: SqlClient.SqlClient) =>
    sql<{ readonly logId: string }>`SELECT log_id AS "logId" FROM ordinal.log_head`.pipe(
      Effect.map(([head]) => head?.logId ?? "")
    )

  /** Finds the collection of a slot. That of a rebuild may be in place already, if a process died before it said so. */
  const find = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, slot: Slot) {
    const note = yield* noteOf(slot)
    if (note !== null) return { note, collection: rowsOf(slot) }
    if (slot === "live") return undefined
    const [served, rebuild] = [yield* noteOf("live"), yield* RebuildRows.open(sql, name)]
    return served !== null && served.rebuild === rebuild?.id ? { note: served, collection: rowsOf("live") } : undefined
  })

  /** Finds the collection to read rows in or to write them, unless it is not of this version of the projection. */
  const place = Effect.fnUntraced(function* (
    sql: SqlClient.SqlClient,
    slot: Slot
  ): Effect.fn.Return<Place, SqlError.SqlError> {
    const found = yield* find(sql, slot)
    if (found === undefined) return yield* Effect.fail(away(new Error(`MongoDB has no ${names[slot]} of this view.`)))
    const { collection, note } = found
    return note.version === version ? { collection, build: note.build } : yield* replaced(slot)
  })

  const replaced = (slot: Slot) =>
    Effect.fail(away(new Error(`Another process has replaced ${names[slot]} in MongoDB.`)))

  /** Finds the collection to write rows of a batch to, all of them to the same one. */
  const placeOfBatch = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, slot: Slot) {
    const before = used.get(slot)
    used.delete(slot)
    const found = yield* place(sql, slot)
    if (before !== undefined && before.build !== found.build) return yield* replaced(slot)
    used.set(slot, found)
    return found
  })

  const foreign = (slot: Slot) =>
    Effect.die(new Error(`The collection ${names[slot]} in MongoDB is not of this view; name another database.`))

  const drop = Effect.fnUntraced(function* (slot: Slot) {
    if (yield* isForeign(slot)) yield* foreign(slot)
    yield* ask(() => rowsOf(slot).drop()).pipe(
      Effect.catchIf(
        ({ reason }) => (reason.cause as { readonly code?: unknown }).code === 26,
        () => Effect.void
      )
    )
  })

  const begin = Effect.fnUntraced(function* (
    sql: SqlClient.SqlClient,
    slot: Slot,
    build: number,
    rebuild: string | null
  ) {
    const id = yield* logId(sql)
    const note: Note = { _id: noteId, build, builds: build, rebuild, version, logId: id, reached: 0n, eventId: null }
    yield* ask(() => rowsOf(slot).createIndexes(indexes))
    // It fails where another log has taken the collection meanwhile: no second document has this id.
    yield* ask(() => notesOf(slot).replaceOne({ _id: noteId, logId: id }, note, { upsert: true }))
  })

  const create: ProjectionTables["create"] = Effect.fnUntraced(function* (sql, slot) {
    if (slot === "shadow") {
      yield* drop("shadow")
      const rebuild = yield* RebuildRows.open(sql, name)
      const served = yield* ask(() =>
        notesOf("live").findOneAndUpdate({ _id: noteId }, { $inc: { builds: 1 } }, { returnDocument: "after" })
      )
      return yield* begin(sql, slot, served?.builds ?? numberAfterLoss(), rebuild?.id ?? null)
    }
    // Nobody touches a collection of another log, or one that is not ours at all: the projection is refused.
    if (yield* isForeign("live")) return
    const known = yield* noteOf("live")
    if (known !== null && known.logId !== (yield* logId(sql))) return
    if (known === null) yield* drop("live")
    if (known === null || (yield* isEmpty("live"))) {
      yield* begin(sql, slot, known === null ? numberAfterLoss() : known.builds + 1, null)
    }
  })

  const tables: ProjectionTables = {
    names: [`mongodb.${names.live}`, `mongodb.${names.shadow}`],
    create,
    isEmpty: Effect.fnUntraced(function* (sql) {
      const note = yield* noteOf("live")
      return (note === null || note.logId === (yield* logId(sql))) && (yield* isEmpty("live"))
    }),
    drop: () => drop("shadow"),
    swap: Effect.fnUntraced(function* (sql) {
      used.clear()
      const [built, rebuild] = [yield* noteOf("shadow"), yield* RebuildRows.open(sql, name)]
      if (built === null && (yield* noteOf("live"))?.rebuild === rebuild?.id) return
      if (yield* isForeign("live")) yield* foreign("live")
      yield* ask(() =>
        database.renameCollection(names.shadow, names.live, { dropTarget: true, writeConcern: byMajority })
      )
    })
  }

  const elsewhere: RowsElsewhere = {
    reached: Effect.fnUntraced(function* (sql, slot, from, { eventId, position }) {
      const { build, collection } = used.get(slot) ?? (yield* place(sql, slot))
      used.delete(slot)
      const notes = database.collection<Note>(collection.collectionName)
      const own = { _id: noteId, build, logId: from.logId } as const
      const { matchedCount } = yield* ask(() =>
        notes.updateOne(
          { ...own, reached: { $gte: from.position, $lt: position } },
          { $set: { reached: position, eventId } }
        )
      )
      if (matchedCount > 0) return
      const isThere = yield* askAgain(() => notes.findOne({ ...own, reached: { $gte: position } }))
      if (isThere === null) yield* replaced(slot)
    }),
    compare: Effect.fnUntraced(function* (sql, slot, checkpoint) {
      const found = yield* find(sql, slot)
      if (found === undefined) {
        if (slot === "shadow" || !(yield* isForeign("live"))) return "gone"
        return { problem: `the collection ${names.live} in MongoDB is not of this view; name another database` }
      }
      const { note } = found
      if (note.version !== version) return { problem: Checkpoint.otherVersion(note.version) }
      if (note.logId !== checkpoint.logId) return { problem: `its rows in MongoDB are of log ${note.logId}` }
      if (note.reached < checkpoint.position) {
        // It was begun anew by a transaction that was lost.
        if (slot === "live" && note.reached === 0n && (yield* isEmpty("live"))) return "gone"
        const problem = `MongoDB has its rows up to position ${note.reached}, and its checkpoint is at ${checkpoint.position}`
        return { problem }
      }
      return (yield* isOfHistory(sql, note))
        ? "fits"
        : { problem: "its rows in MongoDB are of events that the log has lost" }
    })
  }

  return { place, placeOfBatch, rowsOf, notesOf, tables, elsewhere, noteOf }
}

/** Tells whether the log has the events that a note speaks of. */
export const isOfHistory = (sql: SqlClient.SqlClient, { eventId, reached }: Note) =>
  reached === 0n ? Effect.succeed(true) : Effect.map(LogPages.eventIdAt(sql, reached), (found) => found === eventId)

export type OrderCollections = ReturnType<typeof make>
