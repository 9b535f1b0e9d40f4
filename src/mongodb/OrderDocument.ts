/**
 * An order as a document of MongoDB: the order as text, byte for byte as callers are sent it, the state that the next event is
 * applied to, and the fields that lists are found and sorted by.
 */
import type * as Library from "mongodb"
import type { OrderEntry } from "../views/order/OrderEntry.ts"
import type * as OrderViewRows from "../views/order/OrderViewRows.ts"

export interface OrderDocument {
  /** The id of the order. */
  readonly _id: string
  /** The number of its collection and its version in one, by which older and newer documents are told apart. */
  readonly revision: bigint
  readonly version: number
  readonly position: bigint
  readonly customerId: string
  readonly status: string
  readonly paymentStatus: string
  readonly placedAt: Date
  readonly updatedAt: Date
  /** The bytes of what callers are sent. */
  readonly bytes: number
  /** The order as callers are sent it; null if that depends on more than the order: then it is made of `olderState`. */
  readonly document: string | null
  readonly olderState: string | null
  /** The state of the order, as JSON. */
  readonly state: string
  /** The document was made without the events of these versions. */
  readonly skipped?: ReadonlyArray<number>
}

const [placed, changed] = [{ placedAt: 1, _id: 1 }, { position: 1 }] as const

/** Each way to list orders walks one of these. */
export const indexes: Array<Library.IndexDescription> = [
  { key: placed },
  { key: { customerId: 1, ...placed } },
  { key: { status: 1, ...placed } },
  { key: { paymentStatus: 1, ...placed } },
  { key: changed },
  { key: { customerId: 1, ...changed } },
  { key: { status: 1, ...changed } }
]

/** A collection, and its number when it was looked at. */
export interface Place {
  readonly collection: Library.Collection<OrderDocument>
  /** A later collection has a greater number. */
  readonly build: number
}

export const revisionOf = (build: number, version: number): bigint => (BigInt(build) << 32n) + BigInt(version)

/** Reads JSON that somebody may have changed by hand, so that it is none. */
export const jsonOf = (text: unknown): unknown => {
  try {
    return JSON.parse(String(text))
  } catch {
    return text
  }
}

/** The document of this id is a note about the collection. No order has this id, and each comes after it. */
export const noteId = "checkpoint"

export interface Entry extends OrderEntry {
  readonly skipped?: ReadonlyArray<number>
}

export interface Written extends Omit<OrderViewRows.Written, "before" | "entry"> {
  readonly entry: Entry
  readonly before: Entry | undefined
}

export const documentOf = (build: number, { document, entry, state, version, view }: Written): OrderDocument => ({
  _id: view.orderId,
  revision: revisionOf(build, version),
  version,
  position: entry.position,
  customerId: view.customerId,
  status: view.status,
  paymentStatus: view.paymentStatus,
  placedAt: new Date(view.placedAt),
  updatedAt: new Date(view.updatedAt),
  bytes: Buffer.byteLength(document === "" ? state : document),
  document: document === "" ? null : document,
  olderState: document === "" ? state : null,
  state,
  ...(entry.skipped === undefined ? {} : { skipped: entry.skipped })
})
