import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import { StreamId } from "../../../../src/eventstore/StreamId.ts"
import * as DriftAudit from "../../../../src/projection/audit/DriftAudit.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Audits, type Difference } from "../../../../src/projection/audit/Audits.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { fresh, operatedLayer } from "../../../../harness/views/ViewLayer.ts"

const { name } = OrderViewProjection

const adapters = { postgres: fresh(operatedLayer), pglite: operatedLayer("pglite:memory") }

/** One was compared and is as it should be. */
const right = { compared: 1, differences: [] }

const filled = Effect.gen(function* () {
  const progress = yield* ProjectionProgress
  yield* progress.awaitPosition(OrderViewProjection, yield* append(yield* orderLives(30)))
  const events = yield* readFrom(0n)
  const lengths = new Map<string, number>()
  for (const { streamId } of events) lengths.set(streamId, (lengths.get(streamId) ?? 0) + 1)
  const [streamId, version] = [...lengths].sort(([, left], [, right]) => right - left)[0]!
  return {
    streamId,
    orderId: streamId.slice("order-".length),
    version,
    own: events.filter((e) => e.streamId === streamId)
  }
})

describe.each(Object.entries(adapters))("the drift audit on %s", (_, layer) => {
  withLayer(layer, { excludeTestServices: true })((it) => {
    const damages: Record<
      string,
      {
        readonly column: string
        readonly expected: (found: Effect.Success<typeof filled>) => Partial<Difference>
      }
    > = {
      "a column": {
        column: `status = 'bent'`,
        expected: () => ({ kind: "different", field: "status", inView: "bent" })
      },
      "a field of the state": {
        column: `state = jsonb_set(state::jsonb, '{lines,0,quantity}', '77')::json`,
        expected: () => ({ kind: "different", field: "state.lines.0.quantity", inView: 77 })
      },
      "the document that callers are sent": {
        column: `document = replace(document, '"paymentStatus":', '"paymentStatus": ')`,
        expected: () => ({ kind: "different", field: "document" })
      },
      "the version": {
        column: `version = 99`,
        expected: () => ({ kind: "different", field: "version", inView: 99, version: 99 })
      }
    }
    for (const [what, { column, expected }] of Object.entries(damages)) {
      it.effect(`finds ${what} changed by hand, names where it parts, and repairs it`, () =>
        Effect.gen(function* () {
          const audits = yield* Audits
          const { reads: sql } = yield* Database
          const found = yield* filled
          assert.deepStrictEqual((yield* audits.auditSample(name, 500)).differences, [])
          yield* sql.unsafe(`UPDATE ordinal.order_view SET ${column} WHERE order_id = $1`, [found.orderId])
          const { compared, differences } = yield* audits.auditStream(name, found.streamId)
          const [difference] = differences
          assert.strictEqual(compared, 1)
          assert.containSubset(difference, { projection: name, streamId: found.streamId, ...expected(found) })
          assert.isDefined(difference?.event)
          assert.containSubset(
            (yield* audits.reports)[0]?.differences.map(({ streamId }) => streamId),
            [found.streamId]
          )
          assert.containSubset(yield* audits.repair(name, found.streamId), expected(found))
          assert.deepStrictEqual((yield* audits.reports)[0]?.differences, [])
          assert.deepStrictEqual(yield* audits.auditStream(name, found.streamId), right)
          yield* assertViewIsFold
        })
      )
    }

    it.effect("finds a row that is missing, and one that lacks an event, and repairs both", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        const { orderId, own, streamId, version } = yield* filled
        yield* sql`DELETE FROM ordinal.order_view WHERE order_id = ${orderId}`
        const [missing] = (yield* audits.auditStream(name, streamId)).differences
        assert.containSubset(missing, { kind: "missing", version: 0, event: { version: 1, type: "OrderPlaced" } })
        yield* audits.repair(name, streamId)
        assert.deepStrictEqual(yield* audits.auditStream(name, streamId), right)

        // The row as it was one event ago, although the checkpoint says that all is applied.
        const past = [...OrderViewProjection.audit!.contents(own.slice(0, -1))].at(-1) as {
          readonly position: string
          readonly updatedAt: string
          readonly state: unknown
          readonly document: string
          readonly status: string
          readonly paymentStatus: string
        }
        yield* sql`UPDATE ordinal.order_view SET version = ${version - 1}, "position" = ${BigInt(past.position)},
            updated_at = ${past.updatedAt}::text::timestamptz, state = ${JSON.stringify(past.state)}::text::json,
            document = ${past.document}, status = ${past.status}, payment_status = ${past.paymentStatus}
          WHERE order_id = ${orderId}`
        const [behind] = (yield* audits.auditStream(name, streamId)).differences
        assert.containSubset(behind, { kind: "behind", version: version - 1, event: { version } })
        yield* audits.repair(name, streamId)
        yield* assertViewIsFold
      })
    )

    it.effect("finds a row that is of no stream, whatever is asked for, and does away with it", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        const { orderId } = yield* filled
        for (const nobody of ["ord_nobody", "ord\nin two lines", "ord".repeat(100)]) {
          const streamId = `order-${nobody}`
          yield* sql`INSERT INTO ordinal.order_view SELECT ${nobody}::text, version, "position", customer_id, status,
              payment_status, placed_at, updated_at, state
            FROM ordinal.order_view WHERE order_id = ${orderId}`
          const extra = { kind: "extra", streamId, field: "", inLog: undefined } as const
          assert.containSubset((yield* audits.auditStream(name, streamId)).differences, [extra])
          // A few rows at a time: sooner or later all of them.
          const { differences } = yield* audits
            .auditSample(name, 20)
            .pipe(Effect.repeat({ until: (audited) => audited.differences.length > 0 }))
          assert.containSubset(differences, [extra])
          assert.containSubset(yield* audits.repair(name, streamId), extra)
        }
        assert.deepStrictEqual((yield* audits.auditSample(name, 500)).differences, [])
        yield* assertViewIsFold
      })
    )

    it.effect("forgets what was put right in another way", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        const { orderId, streamId } = yield* filled
        const known = Effect.map(audits.reports, ([report]) => report?.differences.map((one) => one.streamId))
        yield* sql`UPDATE ordinal.order_view SET customer_id = customer_id || '!' WHERE order_id = ${orderId}`
        yield* audits.auditStream(name, streamId)
        assert.deepStrictEqual(yield* known, [streamId])
        yield* sql`UPDATE ordinal.order_view SET customer_id = rtrim(customer_id, '!') WHERE order_id = ${orderId}`
        yield* audits.auditSample(name, 1)
        assert.deepStrictEqual(yield* known, [])
      })
    )

    it.effect("refuses a stream that is none of the projection's, or that nobody knows", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        yield* filled
        for (const streamId of ["order-ord_nobody", "product-1", "no stream at all"]) {
          const unknown = { _tag: "UnknownStream", projection: name, streamId } as const
          assert.containSubset(yield* Effect.flip(audits.auditStream(name, streamId)), unknown)
          assert.containSubset(yield* Effect.flip(audits.repair(name, streamId)), unknown)
        }
      })
    )

    // On a database of its own: the runner may take note of the other version, and stop, when that is gone already.
    it.effect("compares and repairs nothing of a view that another version made", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        const { orderId, streamId } = yield* filled
        yield* sql`UPDATE ordinal.order_view SET status = 'bent' WHERE order_id = ${orderId}`
        const { version } = OrderViewProjection
        yield* sql`UPDATE ordinal.checkpoints SET version = ${version + 1}`
        const problem = `version ${version + 1} of the projection made its view`
        const refused = { _tag: "AuditRefused", problem } as const
        assert.containSubset(yield* Effect.flip(audits.auditSample(name)), refused)
        assert.containSubset(yield* Effect.flip(audits.auditStream(name, streamId)), refused)
        assert.strictEqual((yield* Effect.flip(audits.repair(name, streamId)))._tag, "RepairRefused")
        const [log, audit] = [yield* EventStore, OrderViewProjection.audit!]
        const stream = StreamId.make(streamId)
        const compared = yield* DriftAudit.compare(
          { sql, log, projection: OrderViewProjection, audit, slot: "live" },
          stream
        )
        assert.strictEqual(compared._tag, "NotCompared")
        yield* sql`UPDATE ordinal.checkpoints SET version = ${version}, problem = NULL`
        yield* audits.repair(name, streamId)
        yield* assertViewIsFold
      }).pipe(Effect.provide(Layer.fresh(layer)), Effect.provide(Logger.layer([])))
    )

    it.effect("says that it did not compare what the view does not have yet", () =>
      Effect.gen(function* () {
        const projections = yield* Projections
        const audits = yield* Audits
        yield* filled
        yield* projections.pause(name)
        const [entry] = yield* orderLives(1)
        yield* append([entry!])
        const audited = yield* audits.auditStream(name, entry!.streamId)
        assert.deepStrictEqual(audited, { compared: 0, differences: [] })
        yield* projections.resume(name)
      })
    )

    it.effect("repairs nothing while a rebuild is under way, or that is as it should be", () =>
      Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        const { orderId, streamId } = yield* filled
        assert.strictEqual(yield* audits.repair(name, streamId), undefined)
        yield* sql`UPDATE ordinal.order_view SET status = 'bent' WHERE order_id = ${orderId}`
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 1 })
        const refused = yield* Effect.flip(audits.repair(name, streamId))
        assert.include(refused.message, "a rebuild is under way")
        yield* rebuilds.abort(id)
        assert.isDefined(yield* audits.repair(name, streamId))
        yield* assertViewIsFold
      }).pipe(Effect.provide(Logger.layer([])))
    )
  })
})

describe("a projection that does not say what its rows should be", () => {
  const { audit: _, ...unaudited } = OrderViewProjection
  withLayer(
    fresh((url) => operatedLayer(url, unaudited)),
    { excludeTestServices: true }
  )((it) => {
    it.effect("refuses to be audited, and has no report", () =>
      Effect.gen(function* () {
        const audits = yield* Audits
        const { streamId } = yield* filled
        assert.strictEqual((yield* Effect.flip(audits.auditSample(name)))._tag, "AuditRefused")
        assert.strictEqual((yield* Effect.flip(audits.auditStream(name, streamId)))._tag, "AuditRefused")
        assert.strictEqual((yield* Effect.flip(audits.repair(name, streamId)))._tag, "RepairRefused")
        assert.deepStrictEqual(yield* audits.reports, [])
      })
    )
  })
})
