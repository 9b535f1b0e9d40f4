/** Measures the limit of the database and its client: rows of an event's size, one INSERT and one commit each. */
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { connect } from "../servers/FreshDatabase.ts"

export const table = `CREATE TABLE inserted (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream_id text NOT NULL,
  version integer NOT NULL,
  event_id uuid NOT NULL,
  type text NOT NULL,
  schema_version integer NOT NULL,
  data jsonb NOT NULL,
  metadata jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`

export const columns = "stream_id, version, event_id, type, schema_version, data, metadata"

const insert = `INSERT INTO inserted (${columns})
  VALUES ($1, $2, $3::text::uuid, $4, $5, $6::text::jsonb, $7::text::jsonb)`

export interface Row {
  readonly streamId: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: unknown
  readonly metadata: unknown
}

/** One effect per connection, each of which inserts one row. */
export const make = Effect.fnUntraced(function* (url: string, connections: number, row: Row) {
  const admin = yield* connect(url)
  yield* admin.unsafe(table)
  const clients = yield* Effect.all(
    Array.from({ length: connections }, () => connect(url)),
    { concurrency: 4 }
  )
  return clients.map((sql) =>
    Effect.suspend(() =>
      sql.unsafe(insert, [
        row.streamId,
        1,
        SecureRandom.uuidV7Unsafe(),
        row.type,
        row.schemaVersion,
        JSON.stringify(row.data),
        JSON.stringify(row.metadata)
      ])
    )
  )
})
