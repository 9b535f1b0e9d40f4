/** An order view where it is kept: in the database, or in MongoDB. Campaigns read it past the program that makes it. */
import { createHash } from "node:crypto"
import { MongoClient } from "mongodb"
import type { Projection } from "../../src/projection/Projection.ts"
import { key } from "../../src/mongodb/MongoOrderProjection.ts"
import type { OrderDocument } from "../../src/mongodb/OrderDocument.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"
import type { Environment } from "../servers/ServerProcess.ts"
import type { Sql } from "../servers/Sql.ts"
import { type ViewRow, viewRows } from "./ViewJudge.ts"

export interface KeptView {
  readonly name: string
  /** By these a server keeps and reads it there. */
  readonly settings: Environment
  readonly projection: Projection
  /** All rows in the order of their ids. */
  readonly rows: () => AsyncIterable<ViewRow>
  /** Takes all rows away. */
  readonly empty: () => Promise<unknown>
}

export const inDatabase = (sql: Sql): KeptView => ({
  name: OrderViewProjection.name,
  settings: {},
  projection: OrderViewProjection,
  rows: () => viewRows(sql),
  empty: () => sql.rows("TRUNCATE ordinal.order_view")
})

const rowOf = (found: OrderDocument): ViewRow => {
  const {
    _id: orderId,
    customerId,
    document,
    paymentStatus,
    placedAt,
    position,
    state,
    status,
    updatedAt,
    version
  } = found
  const times = [placedAt, updatedAt].map((time) => time.toISOString())
  return {
    orderId,
    columns: JSON.stringify([version, String(position), customerId, status, paymentStatus, ...times]),
    state,
    document
  }
}

/** Reads the collection with a client of its own. */
async function* documents(url: string): AsyncGenerator<ViewRow> {
  const client = new MongoClient(url, { useBigInt64: true })
  try {
    const rows = client.db().collection<OrderDocument>("order_view")
    for await (const found of rows.find({ placedAt: { $exists: true } }).sort({ _id: 1 })) yield rowOf(found)
  } finally {
    await client.close()
  }
}

/** The URL names the database. The projection is one that asks for a rebuild, by a client of the caller's. */
export const inMongoDb = (url: string, projection: Projection): KeptView => ({
  name: key.name,
  settings: { VIEWS: url },
  projection,
  rows: () => documents(url),
  empty: async () => {
    const client = new MongoClient(url)
    await client.db().dropDatabase()
    await client.close()
  }
})

/** One digest of each row. */
export const digests = async (rows: AsyncIterable<ViewRow>): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>()
  for await (const { columns, document, orderId, state } of rows) {
    found.set(
      orderId,
      createHash("sha1")
        .update(JSON.stringify([columns, state, document]))
        .digest("hex")
    )
  }
  return found
}
