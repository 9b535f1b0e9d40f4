/** A log leaves its database by a file, and comes to another one, of either kind, as the same log. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { readFile, truncate, writeFile } from "node:fs/promises"
import { mkdtempDisposable } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { freshLogLayer, logLayer } from "../../../harness/views/LogLayer.ts"
import { Database } from "../../../src/database/Database.ts"
import * as Migrations from "../../../src/database/Migrations.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as ConsistencyToken from "../../../src/projection/consistency/ConsistencyToken.ts"
import { append, entry, event, newStream, readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { exportLog } from "../../../src/transfer/ExportLog.ts"
import { importLog } from "../../../src/transfer/ImportLog.ts"
import { LogFileUnusable } from "../../../src/transfer/LogFile.ts"
import * as LogLines from "../../../src/transfer/LogLines.ts"
import { verifyLog } from "../../../src/transfer/VerifyLog.ts"

const quietly = () => Effect.void
const verify = verifyLog({ decoders: { contract: ({ data }) => data }, faults: 20, onProgress: quietly })
const save = (path: string) => exportLog(path, quietly)
const load = (path: string) => importLog(path, quietly)

const migrated = (url: string) =>
  Migrations.layer.pipe(
    Layer.provideMerge(
      Database.layer({ ...patientConnections, url: Redacted.make(url), allowPgliteInProduction: true })
    )
  )
const emptyPostgres = Layer.unwrap(Effect.map(freshDatabase, migrated))

const folder = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() => mkdtempDisposable(join(tmpdir(), "ordinal-transfer-"))),
    (made) => Effect.promise(() => made.remove())
  ),
  ({ path }) =>
    (name: string) =>
      join(path, name)
)
const contentsOf = (path: string) => Effect.promise(() => readFile(path, "utf8"))

/** What no other format would keep: numbers, texts and times as they are; large events; commands with and without events. */
const fill = Effect.gen(function* () {
  const [first, second] = [newStream(), newStream()]
  yield* append(
    entry(first, 0, { events: 3, fingerprint: "a" }),
    entry(second, 0, { events: [event({ text: 'ü\u2028\\n "…" 💡', amount: 12_345_678_901_234 })] })
  )
  yield* append(entry(first, 3, { events: 0, fingerprint: "b" }))
  yield* append(
    entry(second, 1, { events: [event({ note: "x".repeat(700_000) }), event({ note: "y".repeat(700_000) })] })
  )
  for (let version = 3; version < 30; version++) yield* append(entry(first, version, { fingerprint: `c${version}` }))
  const { reads: sql } = yield* Database
  // Written by hand, as no program of this kind writes numbers: they are beyond those of JavaScript.
  yield* sql`WITH head AS (UPDATE ordinal.log_head SET "position" = "position" + 1 RETURNING *)
    INSERT INTO ordinal.events SELECT "position", 'contract-digits', 1, gen_random_uuid(), 'Happened', 1,
      '{"amount": 12345678901234567890.12345678901234567890}', '{"commandId": "7b0e2f43-9c58-4d51-8f4d-2a54d2f3a001"}',
      recorded_at + interval '1 microsecond' FROM head`
  yield* sql`SELECT ordinal.founding_ship_requires('captured')`
})

it.live(
  "a log goes from PostgreSQL into an embedded database and back, byte by byte, with its id, tokens and receipts",
  () =>
    Effect.gen(function* () {
      const at = yield* folder
      const [source, token] = yield* Effect.gen(function* () {
        yield* fill
        const exported = yield* save(at("first"))
        const [newest] = (yield* readFrom(0n)).slice(-1)
        const verified = yield* verify
        assert.deepStrictEqual(verified.faults, [])
        assert.deepStrictEqual(exported, { logId: verified.logId, events: verified.events, receipts: 29, resumedAt: 0 })
        return [verified, ConsistencyToken.format(verified.logId, newest!.position, newest!.eventId)] as const
      }).pipe(Effect.provide(freshLogLayer()))

      yield* Effect.gen(function* () {
        // A view that a server made of the empty log goes on with it.
        const { reads: sql } = yield* Database
        yield* sql`INSERT INTO ordinal.checkpoints (projection, version, log_id, "position", updated_at)
        SELECT 'empty', 1, log_id, 0, now() FROM ordinal.log_head`
        assert.strictEqual((yield* load(at("first"))).resumedAt, 0)
        assert.deepStrictEqual(yield* verify, source)
        yield* save(at("second"))
      }).pipe(Effect.provide(migrated("pglite:memory")))
      assert.strictEqual(yield* contentsOf(at("second")), yield* contentsOf(at("first")))

      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* load(at("second"))
        assert.deepStrictEqual(yield* verify, source)
        // What was done is not done again.
        assert.strictEqual((yield* load(at("second"))).resumedAt, source.events)
      }).pipe(Effect.provide(migrated(url)))
      yield* Effect.gen(function* () {
        const log = yield* EventStore
        const parsed = yield* Effect.fromResult(ConsistencyToken.parse(token))
        yield* ConsistencyToken.verify(log, (yield* log.head).logId, parsed)
        const [{ streamId, commandId } = { streamId: newStream(), commandId: "" }] = yield* Effect.map(
          readFrom(0n),
          (all) => all.map(({ metadata, streamId }) => ({ streamId, commandId: metadata.commandId }))
        )
        const [again] = yield* append(entry(streamId, 0, { events: 3, commandId, fingerprint: "a" }))
        assert.strictEqual(again?._tag, "Duplicate")
        const [next] = yield* append(entry(streamId, 30))
        assert.strictEqual(next?._tag === "Accepted" && Number(next.position), source.events + 1)
        const { reads: sql } = yield* Database
        assert.deepStrictEqual(yield* sql`SELECT ordinal.founding_ship_requires('confirmed') AS policy`, [
          { policy: "captured" }
        ])
        const refused = yield* Effect.flip(load(at("first")))
        assert.match(refused.message, /^The log is not empty: it has \d+ events\. Give it an empty database/)
      }).pipe(Effect.provide(logLayer(url)))
    })
)

it.live("an export that was ended anywhere is gone on with, and makes the same file", () =>
  Effect.gen(function* () {
    const at = yield* folder
    yield* fill
    yield* save(at("whole"))
    const whole = yield* contentsOf(at("whole"))
    const bytes = Buffer.from(whole)
    const lines = whole.split("\n")
    const through = (count: number) => Buffer.byteLength(lines.slice(0, count).join("\n")) + 1
    // In the header, behind it, in an event, behind one, in a receipt, in the end, and without its last character.
    const cuts = [0, 7, through(1), through(3) + 11, through(4), through(36) + 5, bytes.length - 20, bytes.length - 1]
    for (const cut of cuts) {
      yield* Effect.promise(() => writeFile(at("cut"), bytes.subarray(0, cut)))
      yield* save(at("cut"))
      assert.strictEqual(yield* contentsOf(at("cut")), whole, `cut after ${cut} bytes`)
    }
    // What is appended meanwhile is not part of it.
    yield* Effect.promise(() => truncate(at("cut"), through(4)))
    yield* append(entry(newStream(), 0, { fingerprint: "late" }))
    assert.strictEqual((yield* save(at("cut"))).resumedAt, 3)
    assert.strictEqual(yield* contentsOf(at("cut")), whole)
  }).pipe(Effect.provide(freshLogLayer()))
)

it.live("an import that was ended is gone on with, and only with its own file", () =>
  Effect.gen(function* () {
    const at = yield* folder
    const verified = yield* Effect.gen(function* () {
      yield* fill
      yield* save(at("file"))
      return yield* verify
    }).pipe(Effect.provide(freshLogLayer()))
    yield* Effect.gen(function* () {
      yield* fill
      yield* save(at("other"))
    }).pipe(Effect.provide(freshLogLayer()))

    const events = (yield* contentsOf(at("file"))).split("\n").filter((line) => line.startsWith('{"event"'))
    const url = yield* freshDatabase
    yield* Effect.gen(function* () {
      const { reads: sql } = yield* Database
      yield* LogLines.storeEvents(sql, events.slice(0, 10))
      const unfinished = yield* verify
      assert.match(
        unfinished.faults[0] ?? "",
        /^There are 10 events behind the log's head at 0\. If an import was ended/
      )
      const other = yield* Effect.flip(load(at("other")))
      assert.match(other.message, /^The log has 10 events of an import of another file\./)
    }).pipe(Effect.provide(migrated(url)))
    // Nobody can store anything in between.
    yield* Effect.gen(function* () {
      assert.strictEqual((yield* append(entry(newStream(), 0)))[0]?._tag, "Refused")
    }).pipe(Effect.provide(logLayer(url)))
    yield* Effect.gen(function* () {
      assert.strictEqual((yield* load(at("file"))).resumedAt, 10)
      assert.deepStrictEqual(yield* verify, verified)
    }).pipe(Effect.provide(migrated(url)))
  })
)

it.live("a file is refused that is not whole, was changed or is none, and so is one that is to be written again", () =>
  Effect.gen(function* () {
    const at = yield* folder
    yield* fill
    yield* save(at("file"))
    const text = yield* contentsOf(at("file"))
    const lines = text.split("\n")
    const changed: ReadonlyArray<readonly [what: string, text: string, says: RegExp]> = [
      [
        "without its end",
        `${lines.slice(0, -2).join("\n")}\n`,
        /is not whole\. Run `ordinal log export` with this file again/
      ],
      ["empty", "", /is not whole/],
      ["none", "hello\n", /The file is no export of a log\./],
      [
        "changed",
        text.replace("Happened", "Happenef"),
        /Line 65 does not fit what comes before: the file was changed\./
      ],
      [
        "without an event",
        lines.toSpliced(5, 1).join("\n"),
        /Line 6 has the event at position 6, where another one should be/
      ],
      ["damaged", text.replace('"version":2', '"version":2,,'), /Line 3 is damaged/],
      ["of two", text + text, /follows the end of the export/]
    ]
    for (const [what, text, says] of changed) {
      yield* Effect.promise(() => writeFile(at("changed"), text))
      const refused = yield* Effect.flip(load(at("changed")))
      assert.instanceOf(refused, LogFileUnusable, what)
      assert.match(refused.message, says, what)
      if (what === "without its end" || what === "empty") continue
      yield* Effect.flip(save(at("changed")))
      assert.strictEqual(yield* contentsOf(at("changed")), text, what)
    }
    // It is done, and says so again until there is more.
    assert.strictEqual((yield* save(at("file"))).resumedAt, 34)
    yield* append(entry(newStream(), 0))
    const whole = yield* Effect.flip(save(at("file")))
    assert.match(whole.message, /is a whole export of 34 events already\. Name a new file\./)
    assert.strictEqual(yield* contentsOf(at("file")), text)
    assert.match((yield* Effect.flip(save(at("no/where")))).message, /can't be used: .*no such file/)
    assert.match((yield* Effect.flip(load(at("nothing")))).message, /can't be used: .*no such file/)
    const begun = `${lines.slice(0, 3).join("\n")}\n`
    yield* Effect.promise(() => writeFile(at("begun"), begun))
    const other = yield* Effect.flip(save(at("begun"))).pipe(Effect.provide(Layer.fresh(emptyPostgres)))
    assert.match(other.message, /was begun from another log, or from history that this log has lost/)
    assert.strictEqual(yield* contentsOf(at("begun")), begun)
  }).pipe(Effect.provide(freshLogLayer()))
)

it.live("verification finds each way in which a log, its receipts, snapshots and checkpoints may be wrong", () =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    const [torn, swapped] = [newStream(), newStream()]
    const commandId = crypto.randomUUID()
    yield* append(
      entry(swapped, 0, { events: 3 }),
      entry(torn, 0, { commandId }),
      entry(newStream(), 0, { fingerprint: "a" })
    )
    yield* append(entry(torn, 1, { events: 2 }), entry(newStream(), 0, { events: 4 }))
    assert.deepStrictEqual((yield* verify).faults, [])
    yield* sql`ALTER TABLE ordinal.events DISABLE TRIGGER events_are_final, DROP CONSTRAINT events_event_id_key,
      DROP CONSTRAINT events_stream_id_version_key`
    yield* sql`UPDATE ordinal.events SET version = 5 - version WHERE stream_id = ${swapped} AND version > 1`
    yield* sql`UPDATE ordinal.events SET metadata = jsonb_build_object('commandId', ${commandId}::text) WHERE "position" = 7`
    yield* sql`UPDATE ordinal.events SET recorded_at = recorded_at - interval '1 hour' WHERE "position" = 5`
    yield* sql`UPDATE ordinal.events SET event_id = (SELECT event_id FROM ordinal.events WHERE "position" = 1)
      WHERE "position" = 8`
    yield* sql`UPDATE ordinal.events SET data = '"broken"' WHERE "position" = 9`
    yield* sql`DELETE FROM ordinal.events WHERE "position" = 10`
    yield* sql`UPDATE ordinal.log_head SET "position" = 12`
    yield* sql`UPDATE ordinal.commands SET version = 3`
    yield* sql`INSERT INTO ordinal.snapshots SELECT stream_id, 9, "position", recorded_at, '', '{}'
      FROM ordinal.events WHERE "position" = 2`
    yield* sql`INSERT INTO ordinal.checkpoints (projection, version, log_id, "position", updated_at)
      VALUES ('foreign', 1, gen_random_uuid(), 2, now())`
    const decoders = {
      contract: ({ data }: { readonly data: unknown }) => {
        if (data === "broken") throw new Error("it is broken")
      }
    }
    const all = yield* verifyLog({ decoders, faults: 20, onProgress: quietly })
    const expected = [
      /^The event at position 5 was recorded before the one in front of it/,
      /^The event at position 9 \(Happened of contract-.*\) can't be decoded: it is broken/,
      /^The log lacks positions 10 to 10/,
      /^The log's head is at 12, but its last event is at 11/,
      new RegExp(`^${swapped} has 3 events, but their versions are not 1 to 3`),
      /^contract-.* has 3 events, but their versions/,
      /^The event id .* is there 2 times/,
      new RegExp(`^Command ${commandId} has its events in 2 places.* from position 4 on`),
      /^The receipt of a keyed command says that version 3 of contract-.* is at position 5/,
      /^A snapshot says that version 9 of/,
      /^The projection foreign has to be rebuilt: its checkpoint is of log/
    ]
    for (const says of expected)
      assert.isTrue(
        all.faults.some((fault) => says.test(fault)),
        `${says} in ${all.faults.join("\n")}`
      )
    assert.lengthOf(all.faults, expected.length, all.faults.join("\n"))
    const some = yield* verifyLog({ decoders, faults: 3, onProgress: quietly })
    assert.deepStrictEqual([some.faults, some.hasMore], [all.faults.slice(0, 3), true])
  }).pipe(Effect.provide(freshLogLayer()))
)
