import type { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { EventStore, type Guard } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { append, entry, event, newStream, tags, uuid } from "../../../src/testing/EventStoreEntries.ts"

const products = (count: number) => Array.from({ length: count }, () => StreamId.make("product", uuid()))

/** Appends an event as programs do that know no guards; tells whether it was accepted. */
const appendAsBefore = (sql: PgClient.PgClient, streamId: string, expected: number, eventId = uuid()) =>
  sql<{ readonly outcome: string }>`
    SELECT outcome FROM ordinal.append_entries(
      ARRAY[${streamId}], ARRAY[${expected}::integer], ARRAY[1], ARRAY[1], ARRAY[0], ARRAY[0], ARRAY[NULL]::uuid[],
      ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[${eventId}::uuid], ARRAY[${eventId}::uuid], ARRAY[1],
      ARRAY[${streamId}], ARRAY[${expected}::integer + 1], ARRAY[${eventId}::uuid], ARRAY['Happened'], ARRAY[1],
      ARRAY['{}'], ARRAY['{}'])`.pipe(Effect.map(([row]) => row?.outcome === "a"))

/** Stores an order that depends on some of the streams; reads their versions and tries again while one has moved. */
const place = Effect.fnUntraced(function* (
  store: EventStore["Service"],
  among: ReadonlyArray<StreamId.StreamId>,
  moved: () => void
) {
  while (true) {
    const guards: ReadonlyArray<Guard> = yield* Effect.forEach(
      among,
      (streamId) => Effect.map(store.currentVersion(streamId), (version) => ({ streamId, version })),
      { concurrency: "unbounded" }
    )
    const order = entry(StreamId.make("order", uuid()), 0, { events: [event({ guards })], guards })
    const [outcome] = yield* store.append([order], 30_000)
    if (outcome?._tag === "Accepted") return
    assert.strictEqual(outcome?._tag, "GuardMoved")
    moved()
  }
})

/** Lists the orders that were stored when a stream was not at the version that they had read. */
const wronglyStored = (sql: PgClient.PgClient) => sql`
  SELECT o."position", g ->> 'streamId' AS "streamId", g ->> 'version' AS version
  FROM ordinal.events o, jsonb_array_elements(o.data -> 'guards') AS g
  WHERE o.stream_id LIKE 'order-%' AND (g ->> 'version')::integer <> (
    SELECT count(*) FROM ordinal.events p WHERE p.stream_id = g ->> 'streamId' AND p."position" < o."position"
  )`

it.live("64 writers of two processes store no entry where a guarded stream was at another version", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const sql = yield* connect(url)
    const stores = [
      Context.get(yield* Layer.build(logLayer(url)), EventStore),
      Context.get(yield* Layer.build(logLayer(url)), EventStore)
    ]
    const catalog = products(3)
    let moved = 0
    const change = Effect.fnUntraced(function* (store: EventStore["Service"], number: number) {
      const streamId = catalog[number % catalog.length]!
      for (let round = 0; round < 20; round++) {
        yield* store.append([entry(streamId, yield* store.currentVersion(streamId))], 30_000)
      }
    })
    const writers = Array.from({ length: 64 }, (_, number) => {
      const store = stores[number % 2]!
      if (number % 4 < 2 && number < 16) return change(store, number)
      return Effect.forEach(
        Array.from({ length: 10 }),
        () => place(store, [catalog[number % 3]!, catalog[(number + 1) % 3]!], () => moved++),
        { discard: true }
      )
    })
    yield* Effect.all(writers, { concurrency: "unbounded", discard: true })
    assert.deepStrictEqual(yield* wronglyStored(sql), [])
    assert.isAbove(moved, 0)
    const [stored] = yield* sql`SELECT count(*)::integer AS orders FROM ordinal.events WHERE stream_id LIKE 'order-%'`
    assert.deepStrictEqual(stored, { orders: 560 })
  })
)

it.live("guards hold against programs that append without knowing them", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const store = Context.get(yield* Layer.build(logLayer(url)), EventStore)
    const [raw, ...older] = yield* Effect.all(Array.from({ length: 5 }, () => connect(url)))
    assert.isDefined(raw)
    const [product] = products(1)
    assert.isDefined(product)
    const changing = older.map((sql) =>
      Effect.gen(function* () {
        for (let accepted = 0; accepted < 25;) {
          const version = yield* store.currentVersion(product)
          if (yield* appendAsBefore(sql, product, version)) accepted++
        }
      })
    )
    const placing = Array.from({ length: 16 }, () =>
      Effect.forEach(Array.from({ length: 10 }), () => place(store, [product], () => undefined), { discard: true })
    )
    yield* Effect.all([...changing, ...placing], { concurrency: "unbounded", discard: true })
    assert.deepStrictEqual(yield* wronglyStored(raw), [])
    assert.strictEqual(yield* store.currentVersion(product), 100)
    const positions =
      yield* raw`SELECT count(*)::integer AS stored, max("position")::integer AS last FROM ordinal.events`
    assert.deepStrictEqual(positions, [{ stored: 260, last: 260 }])
  })
)

it.live("what an older program has stored is a duplicate, and the other way round", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const sql = yield* connect(url)
    yield* Effect.gen(function* () {
      const stream = newStream()
      const first = entry(stream, 0)
      assert.isTrue(yield* appendAsBefore(sql, stream, 0, first.events[0]!.eventId))
      assert.deepStrictEqual(tags(yield* append(first, entry(stream, 1))), ["Duplicate", "Conflict"])
      const second = entry(stream, 1)
      assert.deepStrictEqual(tags(yield* append(second)), ["Accepted"])
      assert.isFalse(yield* appendAsBefore(sql, stream, 1, second.events[0]!.eventId))
      assert.isFalse(yield* appendAsBefore(sql, stream, 1))
      assert.isTrue(yield* appendAsBefore(sql, stream, 2))
    }).pipe(Effect.provide(logLayer(url)))
  })
)
