/** Keeps endpoints and deliveries in the database, beside the log. Times are those of the database's clock. */
import { Duration, Effect, Layer } from "effect"
import type { Fragment } from "effect/sql/Statement"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { Database } from "../database/Database.ts"
import * as EventRow from "../eventstore/EventRow.ts"
import { plainRow } from "../projection/PlainRow.ts"
import {
  type Backlog,
  type Delivery,
  type Recorded,
  type StoredEndpoint,
  subscriptionOf,
  WebhookStore
} from "./WebhookStore.ts"

const endpointColumns = `id::text AS id, url, types, description, start, state = 'enabled' AS "isEnabled", problem, secret,
  CASE WHEN previous_until > clock_timestamp() THEN previous_secret END AS "previousSecret",
  CASE WHEN previous_until > clock_timestamp() THEN previous_until END AS "previousUntil",
  failing_since AS "failingSince", created_at AS "createdAt", changed_at AS "changedAt",
  greatest(0, coalesce(extract(epoch FROM not_before - clock_timestamp()) * 1000, 0))::float8 AS "pausedFor"`

const deliveryColumns = `"position", event_id::text AS "eventId", stream_id AS "streamId", version, type, state, attempts,
  attempted_at AS "attemptedAt", status, problem, CASE WHEN state = 'pending' THEN next_at END AS "nextAt"`

/** At most so many lines are removed from a log at once. */
const maxPruned = 5_000

const make = Effect.map(Database, ({ projections: sql }) => {
  const after = (duration: Duration.Duration) =>
    sql`clock_timestamp() + ${Duration.toMillis(duration)}::float8 * interval '1 millisecond'`
  const before = (duration: Duration.Duration) =>
    sql`clock_timestamp() - ${Duration.toMillis(duration)}::float8 * interval '1 millisecond'`

  /** Changes an endpoint; false if there is none. */
  const update = (id: string, changes: Fragment) =>
    Effect.map(
      sql`UPDATE ordinal.webhook_endpoints SET ${changes}, changed_at = clock_timestamp()
        WHERE id = ${id}::uuid AND state <> 'deleted' RETURNING id`,
      (rows) => rows.length > 0
    )

  const recordDelivered = (id: string, position: bigint, status: number) =>
    sql<Recorded>`
      WITH works AS (
        UPDATE ordinal.webhook_endpoints SET failing_since = NULL
        WHERE id = ${id}::uuid AND failing_since IS NOT NULL
      )
      UPDATE ordinal.webhook_deliveries SET state = 'delivered', attempts = attempts + 1, status = ${status},
        attempted_at = clock_timestamp(), problem = NULL
      WHERE endpoint_id = ${id}::uuid AND "position" = ${position} AND state = 'pending'
      RETURNING state, 0::float8 AS "failingFor"`

  return WebhookStore.of({
    endpoints: sql`SELECT ${sql.literal(endpointColumns)} FROM ordinal.webhook_endpoints
      WHERE state <> 'deleted' ORDER BY ordinal.webhook_endpoints.id`.pipe(
      Effect.map((rows) => rows.map(plainRow<StoredEndpoint>))
    ),
    backlogs: sql`
      SELECT w.id::text AS id, p.pending, coalesce((
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at))
        FROM ordinal.events e WHERE e."position" = p.oldest
      ), 0)::float8 AS oldest
      FROM ordinal.webhook_endpoints w
      CROSS JOIN LATERAL (
        SELECT count(*)::float8 AS pending, min(d."position") AS oldest FROM ordinal.webhook_deliveries d
        WHERE d.endpoint_id = w.id AND d.state = 'pending'
      ) p
      WHERE w.state <> 'deleted' ORDER BY w.id`.pipe(Effect.map((rows) => rows.map(plainRow<Backlog>))),
    create: ({ description, id, secret, start, types, url }) =>
      sql`INSERT INTO ordinal.webhook_endpoints (id, url, types, description, start, secret, created_at, changed_at)
        VALUES (${id}::uuid, ${url}, ${types}::text[], ${description}, ${start}, ${secret}, clock_timestamp(), clock_timestamp())`,
    change: (id, { description = null, start = null, types = null, url = null }) =>
      update(
        id,
        sql`url = coalesce(${url}, url), types = coalesce(${types}::text[], types),
          description = coalesce(${description}, description), start = coalesce(${start}, start)`
      ),
    rotate: (id, secret, overlap) =>
      update(id, sql`previous_secret = secret, previous_until = ${after(overlap)}, secret = ${secret}`),
    enable: (id) =>
      Effect.andThen(
        sql`UPDATE ordinal.webhook_deliveries SET next_at = clock_timestamp(), attempts = 0, first_failed_at = NULL
          WHERE endpoint_id = ${id}::uuid AND state = 'pending'`,
        update(id, sql`state = 'enabled', problem = NULL, failing_since = NULL, not_before = NULL`)
      ).pipe(sql.withTransaction),
    disable: (id, problem) => update(id, sql`state = 'disabled', problem = ${problem}`),
    remove: (id) => update(id, sql`state = 'deleted'`),
    forget: (age) =>
      Effect.gen(function* () {
        const gone = yield* sql<{ readonly id: string }>`SELECT id::text AS id FROM ordinal.webhook_endpoints
          WHERE state = 'deleted' AND changed_at < ${before(age)} ORDER BY id FOR UPDATE SKIP LOCKED`
        for (const { id } of gone) {
          const name = subscriptionOf(id)
          yield* sql`DELETE FROM ordinal.checkpoints WHERE projection = ${name}`
          yield* sql`DELETE FROM ordinal.parked_streams WHERE projection = ${name}`
          yield* sql`DELETE FROM ordinal.webhook_endpoints WHERE id = ${id}::uuid`
        }
      }).pipe(sql.withTransaction),

    enqueue: (id, events) =>
      sql`
        INSERT INTO ordinal.webhook_deliveries AS known
          (endpoint_id, "position", event_id, stream_id, version, type, next_at)
        SELECT ${id}::uuid, e."position", e.event_id, e.stream_id, e.version, e.type, clock_timestamp()
        FROM unnest(
          ${events.map(({ position }) => position)}::bigint[], ${events.map(({ eventId }) => eventId)}::uuid[],
          ${events.map(({ streamId }) => streamId)}::text[], ${events.map(({ version }) => version)}::integer[],
          ${events.map((event) => PublishedEvent.fromRecorded(event).type)}::text[]
        ) AS e ("position", event_id, stream_id, version, type)
        ON CONFLICT (endpoint_id, "position") DO UPDATE
          SET state = 'pending', attempts = 0, next_at = clock_timestamp(), first_failed_at = NULL
          WHERE known.state <> 'pending'`,
    waiting: (id, before, most) =>
      sql<{ readonly waiting: number }>`SELECT count(*)::float8 AS waiting FROM (
        SELECT FROM ordinal.webhook_deliveries
        WHERE endpoint_id = ${id}::uuid AND state = 'pending' AND "position" < ${before} LIMIT ${most}
      ) AS pending`.pipe(Effect.map(([row]) => row?.waiting ?? 0)),
    due: (id, upTo, except, limit, anyway) =>
      sql<EventRow.EventRow & { readonly attempts: number; readonly dueIn: number }>`
        SELECT ${sql.literal(EventRow.columns)}, attempts,
          CASE WHEN ${anyway}::boolean THEN 0 ELSE extract(epoch FROM next_at - clock_timestamp()) * 1000 END::float8 AS "dueIn"
        FROM (
          SELECT DISTINCT ON (stream_id) stream_id AS first_of, "position" AS at, attempts, next_at, attempted_at
          FROM ordinal.webhook_deliveries
          WHERE endpoint_id = ${id}::uuid AND state = 'pending' AND "position" <= ${upTo}
            AND stream_id <> ALL(${except}::text[])
          ORDER BY stream_id, "position"
        ) AS head
        JOIN ordinal.events e ON e."position" = head.at
        ORDER BY CASE WHEN ${anyway}::boolean THEN coalesce(attempted_at, '-infinity') ELSE greatest(next_at, statement_timestamp()) END,
          attempts > 0, at LIMIT ${limit}`.pipe(
        Effect.map((rows) => {
          const events = EventRow.decode(rows)
          const ready = rows.flatMap(({ attempts, dueIn }, index) =>
            dueIn > 0 ? [] : [{ attempts, event: events[index]! }]
          )
          const next = rows[ready.length]?.dueIn
          return { ready, ...(next === undefined ? {} : { nextIn: next }) }
        })
      ),
    record: (id, position, attempt) => {
      if (attempt.isDelivered) {
        return Effect.map(recordDelivered(id, position, attempt.status), ([row]) => row)
      }
      const { again, pause, problem, retryFor, status = null } = attempt
      return sql<Recorded>`
        WITH endpoint AS (
          UPDATE ordinal.webhook_endpoints SET failing_since = coalesce(failing_since, clock_timestamp()),
            not_before = ${pause === undefined ? sql`not_before` : after(pause)}
          WHERE id = ${id}::uuid RETURNING id, failing_since
        )
        UPDATE ordinal.webhook_deliveries d SET attempts = d.attempts + 1, status = ${status}::integer,
          attempted_at = clock_timestamp(), problem = ${problem}, next_at = ${after(again)},
          first_failed_at = coalesce(d.first_failed_at, clock_timestamp()),
          state = CASE WHEN d.first_failed_at < ${before(retryFor)} AND d.first_failed_at < endpoint.failing_since
            THEN 'failed' ELSE 'pending' END
        FROM endpoint
        WHERE d.endpoint_id = endpoint.id AND d."position" = ${position} AND d.state = 'pending'
        RETURNING d.state,
          (extract(epoch FROM clock_timestamp() - endpoint.failing_since) * 1000)::float8 AS "failingFor"`.pipe(
        Effect.map(([row]) => row)
      )
    },
    hurry: (id) =>
      sql`UPDATE ordinal.webhook_deliveries SET next_at = clock_timestamp()
        WHERE endpoint_id = ${id}::uuid AND state = 'pending' AND next_at > clock_timestamp()`,
    prune: (id, age, most) =>
      sql`
        DELETE FROM ordinal.webhook_deliveries d
        USING (
          SELECT "position", attempted_at FROM ordinal.webhook_deliveries
          WHERE endpoint_id = ${id}::uuid ORDER BY "position" LIMIT ${maxPruned}
        ) AS oldest
        WHERE d.endpoint_id = ${id}::uuid AND d."position" = oldest."position" AND d.state <> 'pending'
          AND (d.attempted_at < ${before(age)} OR d."position" <= (
            SELECT "position" FROM ordinal.webhook_deliveries
            WHERE endpoint_id = ${id}::uuid ORDER BY "position" DESC OFFSET ${most} LIMIT 1
          ))`,

    deliveries: (id, { before, limit, state }) =>
      sql`SELECT ${sql.literal(deliveryColumns)} FROM ordinal.webhook_deliveries
        WHERE endpoint_id = ${id}::uuid AND (${before ?? null}::bigint IS NULL OR "position" < ${before ?? null}::bigint)
          AND (${state ?? null}::text IS NULL OR state = ${state ?? null}::text)
        ORDER BY ordinal.webhook_deliveries."position" DESC LIMIT ${limit}`.pipe(
        Effect.map((rows) => rows.map(plainRow<Delivery>))
      ),
    redeliver: (id, eventId) =>
      sql`UPDATE ordinal.webhook_deliveries
        SET state = 'pending', attempts = 0, next_at = clock_timestamp(), first_failed_at = NULL
        WHERE endpoint_id = ${id}::uuid
          AND "position" = (SELECT e."position" FROM ordinal.events e WHERE e.event_id = ${eventId}::uuid)
        RETURNING ${sql.literal(deliveryColumns)}`.pipe(
        Effect.map(([row]) => (row === undefined ? undefined : plainRow<Delivery>(row)))
      )
  })
})

export const layer = Layer.effect(WebhookStore, make)
