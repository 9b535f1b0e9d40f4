import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { append, entry, newStream, readFrom } from "../../../src/testing/EventStoreEntries.ts"

const failing = (state: string) => `CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$`

/** What keeps events from being stored, and its cure. */
const hindrances: ReadonlyArray<readonly [what: string, begin: ReadonlyArray<string>, cure: ReadonlyArray<string>]> = [
  [
    "the table is renamed",
    ["ALTER TABLE ordinal.events RENAME TO away"],
    ["ALTER TABLE ordinal.away RENAME TO events"]
  ],
  ["the schema is renamed", ["ALTER SCHEMA ordinal RENAME TO away"], ["ALTER SCHEMA away RENAME TO ordinal"]],
  [
    "the disk is full, as a trigger says",
    [failing("53100"), "CREATE TRIGGER fail BEFORE INSERT ON ordinal.events EXECUTE FUNCTION public.fail()"],
    ["DROP TRIGGER fail ON ordinal.events"]
  ],
  ["the log's head is locked", ["BEGIN", `SELECT "position" FROM ordinal.log_head FOR UPDATE`], ["ROLLBACK"]]
]

it.live("a log is not writable while an event can't be stored, and a trial leaves nothing behind", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const raw = yield* connect(url)
    yield* Effect.gen(function* () {
      const { writable } = yield* EventStore
      yield* writable
      assert.deepStrictEqual(yield* readFrom(0n), [])
      for (const [what, begin, cure] of hindrances) {
        for (const statement of begin) yield* raw.unsafe(statement)
        const { _tag } = yield* Effect.flip(writable)
        assert.strictEqual(_tag, "DatabaseUnavailable", what)
        for (const statement of cure) yield* raw.unsafe(statement)
        yield* writable
      }
      yield* append(entry(newStream(), 0))
      assert.deepStrictEqual(
        (yield* readFrom(0n)).map(({ position }) => position),
        [1n]
      )
    }).pipe(Effect.provide(yield* Layer.build(logLayer(url))))
  })
)

/** The rest of the last page takes a small event, and nothing takes another page: so a disk is full. */
const noRoom = `CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT sum(length(data::text)) FROM added) > 1000 THEN
      RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
  END $$`

it.live("a log that has room for a small event only is not writable while orders can't be stored", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const raw = yield* connect(url)
    yield* Effect.gen(function* () {
      const { append: store, writable } = yield* EventStore
      yield* raw.unsafe(noRoom)
      yield* raw.unsafe(`CREATE TRIGGER no_room AFTER INSERT ON ordinal.events REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION public.no_room()`)
      yield* append(entry(newStream(), 0))
      const large = { eventId: crypto.randomUUID(), type: "Large", schemaVersion: 1, data: "x".repeat(2_000) }
      const order = entry(newStream(), 0, { events: [large] })
      assert.strictEqual((yield* Effect.flip(store([order], 1_000)))._tag, "DatabaseUnavailable")
      assert.strictEqual((yield* Effect.flip(writable))._tag, "DatabaseUnavailable")
      yield* raw.unsafe("DROP TRIGGER no_room ON ordinal.events")
      yield* writable
      assert.lengthOf(yield* readFrom(0n), 1)
    }).pipe(Effect.provide(yield* Layer.build(logLayer(url))))
  })
)
