/**
 * Reads and writes the documents of orders: what `OrderViewRows` does in SQL.
 *
 * Invariant: a document is written over an older one only, by number of its collection and version of its order, so a write
 * that comes again, or late from a process that was deposed, changes nothing. What a batch has written stays when the
 * checkpoint does not move: such a document is ahead, and the events that it has are passed over.
 */
import { Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import type { Order } from "../order/OrderState.ts"
import type { View } from "../projection/view/ViewProjection.ts"
import * as OrderEntry from "../views/order/OrderEntry.ts"
import * as OrderViewRows from "../views/order/OrderViewRows.ts"
import { ask, askAgain } from "./MongoDb.ts"
import {
  documentOf,
  type Entry,
  jsonOf,
  noteId,
  type OrderDocument,
  type Place,
  revisionOf,
  type Written
} from "./OrderDocument.ts"

/** Applies the order's next event. One that the document has already, since it is ahead, changes nothing. */
const evolve = (entry: Entry | undefined, event: RecordedEvent): Entry => {
  if (entry === undefined || event.version > entry.order.version) {
    const next = OrderEntry.evolve(entry, event)
    return entry?.skipped === undefined ? next : { ...next, skipped: entry.skipped }
  }
  if (entry.skipped?.includes(event.version) !== true) return entry
  throw new Error(
    `The document of ${event.streamId} was made without version ${event.version}, by a skip that was not recorded; skip it again.`
  )
}

const skip = ({ order, skipped = [] }: Entry, { position, recordedAt: updatedAt, version }: RecordedEvent): Entry => ({
  order: { ...order, version },
  updatedAt,
  position,
  skipped: [...skipped, version]
})

/** Somebody may have changed a document by hand, so that it is none: the audit shows how. */
const timeOf = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value))

const duplicate = 11_000

interface WriteError {
  readonly code: number
  readonly index: number
}

/** The driver throws this if some of several operations have failed. */
interface BulkFailure {
  readonly writeErrors?: WriteError | ReadonlyArray<WriteError>
  readonly result?: { readonly getWriteConcernError: () => unknown }
}

/** Gives the operations that failed since another document of that id is there; fails with any other failure. */
const duplicatesOf = (error: SqlError.SqlError): Effect.Effect<ReadonlyArray<number>, SqlError.SqlError> => {
  const { result, writeErrors = [] } = error.reason.cause as BulkFailure
  const all = [writeErrors].flat()
  const isOfMajority = (result?.getWriteConcernError() ?? undefined) === undefined
  return all.length > 0 && isOfMajority && all.every(({ code }) => code === duplicate)
    ? Effect.succeed(all.map(({ index }) => index))
    : Effect.fail(error)
}

/** Writes documents, unless newer ones are there. */
const put = Effect.fnUntraced(function* ({ build, collection }: Place, written: ReadonlyArray<Written>) {
  const operations = (upsert: boolean, some: ReadonlyArray<Written>) =>
    some.map((one) => {
      const replacement = documentOf(build, one)
      const { _id, revision } = replacement
      return { replaceOne: { filter: { _id, revision: { $lt: revision } }, replacement, upsert } }
    })
  const writeAll = (upsert: boolean, some: ReadonlyArray<Written>) =>
    some.length === 0
      ? Effect.succeed([])
      : Effect.catch(
          Effect.as(
            ask(() => collection.bulkWrite(operations(upsert, some), { ordered: false })),
            []
          ),
          duplicatesOf
        )
  const changed = written.filter(({ before, entry }) => before !== entry)
  const duplicates = yield* writeAll(true, changed)
  // A document that is there is newer, or has come meanwhile and is older.
  yield* writeAll(
    false,
    duplicates.map((index) => changed[index]!)
  )
  return []
})

/** Writes a document over one of this version, or where there is none; answers what was written. */
const putOver = ({ build, collection }: Place, one: Written, over: number) => {
  const document = documentOf(build, one)
  return ask(() => collection.replaceOne({ _id: document._id, version: over }, document, { upsert: true })).pipe(
    Effect.map(({ matchedCount, upsertedCount }) => (matchedCount + upsertedCount > 0 ? [document._id] : [])),
    Effect.catchIf(
      ({ reason }) => (reason.cause as { readonly code?: unknown }).code === duplicate,
      () => Effect.succeed([])
    )
  )
}

/** The view in a collection, as `ViewProjection` makes and audits it. */
export const viewIn = (place: Place): View<Entry, Written, OrderViewRows.Row> => {
  const { build, collection } = place
  return {
    evolve,
    skip,
    row: OrderViewRows.row,
    encode: (entry, before) => ({ ...OrderViewRows.encode(entry, before), entry, before }),
    entries: (_sql, _slot, streamIds) =>
      askAgain(() => collection.find({ _id: { $in: streamIds.map(StreamId.id) } }).toArray()).pipe(
        Effect.map((documents) => {
          const entryOf = ({ position, skipped, state, updatedAt }: OrderDocument): Entry => ({
            order: JSON.parse(state) as Order,
            updatedAt: updatedAt.toISOString(),
            position,
            ...(skipped === undefined ? {} : { skipped })
          })
          // A deposed process may have made a document that is of no use here.
          const own = documents.filter(({ revision }) => revision >= revisionOf(build, 0))
          return new Map(own.map((document) => [`order-${document._id}`, entryOf(document)]))
        })
      ),
    storedRow: (_sql, _slot, streamId) =>
      askAgain(() => collection.findOne({ _id: StreamId.id(streamId) })).pipe(
        Effect.map((found): OrderViewRows.Row | undefined => {
          if (found === null) return undefined
          const { customerId, document, paymentStatus, placedAt, position, state, status, updatedAt, version } = found
          return {
            version,
            position: String(position),
            customerId,
            status,
            paymentStatus,
            placedAt: timeOf(placedAt),
            updatedAt: timeOf(updatedAt),
            state: jsonOf(state),
            document
          }
        })
      ),
    streams: (_sql, _slot, after, limit) => {
      const ids = { $gt: after === undefined ? "" : StreamId.id(after), $ne: noteId }
      const found = () => collection.find({ _id: ids }).project<{ readonly _id: string }>({ _id: 1 })
      return askAgain(() => found().sort({ _id: 1 }).limit(limit).toArray()).pipe(
        Effect.map((rows) => rows.map(({ _id }) => `order-${_id}`))
      )
    },
    upsert: (_sql, _slot, written, over) =>
      over === undefined
        ? put(place, written)
        : Effect.map(
            Effect.forEach(written, (one) => putOver(place, one, over)),
            (all) => all.flat()
          ),
    remove: (_sql, streamId, version) =>
      Effect.map(
        ask(() => collection.deleteOne({ _id: StreamId.id(streamId), version })),
        ({ deletedCount }) => (deletedCount > 0 ? [streamId] : [])
      )
  }
}
