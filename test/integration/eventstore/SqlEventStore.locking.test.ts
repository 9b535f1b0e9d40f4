import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Fiber, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { now } from "../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { sqlState } from "../../../src/database/SqlFailure.ts"
import { append, entry, newStream, readFrom, tags } from "../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"

const freshLog = Effect.gen(function* () {
  const url = yield* freshDatabase
  return { url, context: yield* Layer.build(logLayer(url)) }
})

const lockHead = `SELECT "position" FROM ordinal.log_head FOR UPDATE`

const appendByHand = (name: string) => `
  SELECT outcomes FROM ordinal.append_batch('{hand-${name}}', '{0}', '{}', false,
    jsonb_build_array(jsonb_build_array(1, 'hand-${name}', 1, gen_random_uuid(), 'Happened', 1, '{}'::jsonb, '{}'::jsonb)),
    '[["hand-${name}", 0, 1, null, 0, 0, false, []]]')`

describe("the log under several sessions", () => {
  it.live("never shows a later event before an earlier one that is still being committed", () =>
    Effect.gen(function* () {
      const { url, context } = yield* freshLog
      yield* Effect.gen(function* () {
        const log = yield* EventStore
        const raw = yield* connect(url)
        const first = yield* raw.withTransaction(
          Effect.gen(function* () {
            yield* raw.unsafe(lockHead)
            yield* raw`INSERT INTO ordinal.events VALUES
              (1, 'hand-1', 1, gen_random_uuid(), 'Happened', 1, '{}', '{}', now())`
            yield* raw`UPDATE ordinal.log_head SET "position" = 1`
            const second = yield* Effect.forkChild(append(entry(newStream(), 0)), { startImmediately: true })
            for (let look = 0; look < 20; look++) {
              assert.deepStrictEqual(yield* log.readAll({ after: 0n, limit: 10 }), [])
              yield* Effect.sleep(10)
            }
            return second
          })
        )
        assert.deepStrictEqual(tags(yield* Fiber.join(first)), ["Accepted"])
        assert.lengthOf(yield* readFrom(0n), 2)
      }).pipe(Effect.provide(context))
    })
  )

  it.live("shows every reader positions without gaps while two processes append", () =>
    Effect.gen(function* () {
      const { url, context } = yield* freshLog
      const other = yield* Layer.build(logLayer(url))
      const callers = 32
      const rounds = 40
      const write = Effect.forEach(
        Arr.makeBy(callers / 2, (index) => index),
        () =>
          Effect.gen(function* () {
            const stream = newStream()
            for (let version = 0; version < rounds; version++) yield* append(entry(stream, version))
          }),
        { concurrency: "unbounded", discard: true }
      )
      const tail = Effect.gen(function* () {
        const log = yield* EventStore
        let after = 0n
        while (after < BigInt(callers * rounds)) {
          for (const { position } of yield* log.readAll({ after, limit: 100 })) {
            assert.strictEqual(position, after + 1n)
            after = position
          }
        }
      })
      yield* Effect.all(
        [
          Effect.provide(write, context),
          Effect.provide(write, other),
          Effect.provide(tail, context),
          Effect.provide(tail, other)
        ],
        { concurrency: "unbounded" }
      )
    })
  )

  it.live("leaves no gap at the positions of appends that lost a race", () =>
    Effect.gen(function* () {
      const { context } = yield* freshLog
      yield* Effect.gen(function* () {
        const log = yield* EventStore
        const streams = Arr.makeBy(5, newStream)
        let conflicts = 0
        yield* Effect.forEach(
          Arr.makeBy(2_000, (index) => streams[index % 5] ?? newStream()),
          (stream) =>
            Effect.gen(function* () {
              const version = yield* log.currentVersion(stream)
              if (tags(yield* append(entry(stream, version)))[0] === "Conflict") conflicts++
            }),
          { concurrency: 40, discard: true }
        )
        assert.isAbove(conflicts, 100)
        const stored = yield* readFrom(0n)
        assert.lengthOf(stored, 2_000 - conflicts)
        assert.strictEqual((yield* log.head).position, BigInt(stored.length))
      }).pipe(Effect.provide(context))
    })
  )

  it.live("accepts appends under READ COMMITTED only, whatever the database's default", () =>
    Effect.gen(function* () {
      const { url, context } = yield* freshLog
      const raw = yield* connect(url)
      for (const isolation of ["REPEATABLE READ", "SERIALIZABLE"]) {
        yield* raw.unsafe(`SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL ${isolation}`)
        const refused = yield* Effect.flip(raw.unsafe(appendByHand("x")))
        assert.strictEqual(sqlState(refused), "25001")
      }
      yield* raw.unsafe("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
      assert.deepStrictEqual(yield* raw.unsafe(appendByHand("x")), [{ outcomes: null }])

      const name = new URL(url).pathname.slice(1)
      yield* raw.unsafe(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`)
      const stream = newStream()
      const outcomes = yield* Effect.all(
        [append(entry(stream, 0)), append(entry(newStream(), 0)).pipe(Effect.provide(logLayer(url)))],
        { concurrency: 2 }
      ).pipe(Effect.provide(context))
      assert.deepStrictEqual(outcomes.flatMap(tags), ["Accepted", "Accepted"])
    })
  )
})

describe("an open transaction of somebody else", () => {
  it.live("does not hold up appends and reads", () =>
    Effect.gen(function* () {
      const { url, context } = yield* freshLog
      const [elsewhere, here] = [yield* connect(yield* freshDatabase), yield* connect(url)]
      yield* elsewhere.unsafe("BEGIN")
      yield* elsewhere.unsafe("CREATE TABLE written (it int)")
      yield* here.unsafe("BEGIN")
      yield* here.unsafe("SELECT count(*) FROM ordinal.events")
      yield* Effect.gen(function* () {
        // Both transactions stay open, so an append that waited for them would never be accepted.
        assert.deepStrictEqual(tags(yield* append(entry(newStream(), 0))), ["Accepted"])
        assert.lengthOf(yield* readFrom(0n), 1)
      }).pipe(Effect.provide(context))
    })
  )

  it.live("that holds the lock on the log's head in a session of this program is ended within 6 s", () =>
    Effect.gen(function* () {
      const { context } = yield* freshLog
      yield* Effect.gen(function* () {
        const { projections } = yield* Database
        const log = yield* EventStore
        const hung = yield* projections.reserve
        yield* hung.executeRaw("BEGIN", [])
        yield* hung.executeRaw(lockHead, [])
        const start = now()
        assert.deepStrictEqual(tags(yield* log.append([entry(newStream(), 0)], 30_000)), ["Accepted"])
        assert.isBelow(now() - start, 6_000)
      }).pipe(Effect.scoped, Effect.provide(context))
    })
  )
})

describe("stored events", () => {
  it.live("can't be changed or removed, not even by their owner", () =>
    Effect.gen(function* () {
      const { url, context } = yield* freshLog
      yield* append(entry(newStream(), 0)).pipe(Effect.provide(context))
      const raw = yield* connect(url)
      for (const change of [
        "UPDATE ordinal.events SET version = 2",
        "DELETE FROM ordinal.events",
        "TRUNCATE ordinal.events"
      ]) {
        assert.strictEqual(sqlState(yield* Effect.flip(raw.unsafe(change))), "42501", change)
      }
    })
  )

  it.live("are added only through the append function by a role with no more than the privileges it needs", () =>
    Effect.gen(function* () {
      const { url } = yield* freshLog
      const raw = yield* connect(url)
      const role = `app_${randomBytes(6).toString("hex")}`
      yield* Effect.acquireRelease(raw.unsafe(`CREATE ROLE ${role}`), () =>
        raw
          .unsafe(`RESET ROLE`)
          .pipe(
            Effect.andThen(raw.unsafe(`DROP OWNED BY ${role}`)),
            Effect.andThen(raw.unsafe(`DROP ROLE ${role}`)),
            Effect.orDie
          )
      )
      yield* raw.unsafe(`GRANT USAGE ON SCHEMA ordinal TO ${role}`)
      yield* raw.unsafe(`GRANT SELECT ON ordinal.events, ordinal.commands, ordinal.log_head TO ${role}`)
      yield* raw.unsafe(`SET ROLE ${role}`)
      assert.strictEqual(sqlState(yield* Effect.flip(raw.unsafe(appendByHand("role")))), "42501")
      yield* raw.unsafe("RESET ROLE")
      yield* raw.unsafe(`GRANT EXECUTE ON FUNCTION ordinal.append_batch TO ${role}`)
      yield* raw.unsafe(`SET ROLE ${role}`)
      assert.deepStrictEqual(yield* raw.unsafe(appendByHand("role")), [{ outcomes: null }])
      for (const change of [
        "INSERT INTO ordinal.events SELECT * FROM ordinal.events",
        "UPDATE ordinal.events SET version = 2",
        "DELETE FROM ordinal.events",
        "TRUNCATE ordinal.events",
        `UPDATE ordinal.log_head SET "position" = 0`
      ]) {
        assert.strictEqual(sqlState(yield* Effect.flip(raw.unsafe(change))), "42501", change)
      }
    })
  )
})
