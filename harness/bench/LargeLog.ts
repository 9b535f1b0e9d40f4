/**
 * A database with as many events as one likes, made quickly: some thousand events of orders are appended and worked into
 * the order view as always, then rows of both are copied by SQL, each copy for an order of its own.
 */
import { Effect, Layer, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import * as SqlEventStore from "../../src/eventstore/SqlEventStore.ts"
import { connect } from "../servers/FreshDatabase.ts"
import * as CommandPaths from "./CommandPaths.ts"
import * as OrderLog from "./OrderLog.ts"

const log = (url: string) =>
  SqlEventStore.layer.pipe(
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(Database.layer({ url: Redacted.make(url) }))
  )

/** The id of a copy: the last 12 hex digits are mixed with the copy's number. */
const copyId = (id: string) =>
  `left(${id}, -12) || lpad(to_hex(('x' || right(${id}, 12))::bit(48)::bigint # copy), 12, '0')`

/** Each column of a copy, whichever columns there are: its order's id, ids of its own, and its position. */
const copied = (name: string, type: string) => {
  if (name === "position") return `"position" + shift`
  if (type === "uuid") return "gen_random_uuid()"
  return ["json", "jsonb", "text"].includes(type) ? `replace("${name}"::text, id, copy_id)::${type}` : `"${name}"`
}

/** Fills an empty database with about so many events, `appended` of them by appends; their number. */
export const fill = Effect.fnUntraced(function* (url: string, events: number, appended: number) {
  const orderEvents = Number(yield* OrderLog.fill(appended).pipe(Effect.provide(log(url)), Effect.scoped))
  yield* Effect.scoped(Effect.flatMap(CommandPaths.make(url, { view: true }), ({ viewIsThere }) => viewIsThere))
  const sql = yield* connect(url)
  const [head] = yield* sql<{ readonly top: number }>`SELECT "position"::float8 AS top FROM ordinal.log_head`
  const top = head!.top
  const copies = Math.max(0, Math.ceil((events - top) / orderEvents))

  const copy = Effect.fnUntraced(function* (table: string, id: string) {
    const columns = yield* sql<{ readonly name: string; readonly type: string }>`
      SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_schema = 'ordinal' AND table_name = ${table} AND is_generated = 'NEVER' ORDER BY ordinal_position`
    yield* sql.unsafe(
      `INSERT INTO ordinal.${table} (${columns.map(({ name }) => `"${name}"`).join(", ")})
       SELECT ${columns.map(({ name, type }) => copied(name, type)).join(", ")}
       FROM (
         SELECT original.*, ${id} AS id, ${copyId(id)} AS copy_id, ${top}::bigint + (copy - 1) * ${orderEvents} AS shift
         FROM ordinal.${table} AS original CROSS JOIN generate_series(1, ${copies}) AS copy
         WHERE "position" <= ${orderEvents}
       ) AS copies
       ORDER BY "position" + shift`
    )
  })
  yield* copy("events", "substr(stream_id, 7)")
  yield* copy("order_view", "order_id")
  const last = top + copies * orderEvents
  yield* sql`UPDATE ordinal.log_head SET "position" = ${last}`
  yield* sql`UPDATE ordinal.checkpoints SET "position" = ${last}, event_position = ${last},
    event_id = (SELECT event_id FROM ordinal.events WHERE "position" = ${last})`
  for (const table of ["events", "order_view"]) yield* sql.unsafe(`VACUUM (ANALYZE) ordinal.${table}`)
  return last
}, Effect.scoped)
