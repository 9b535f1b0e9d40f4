/**
 * Which streams are compared, and comparing them one after the other, giving way to everybody else. Some are picked from
 * the log, and as many rows are looked at whether they are of a stream at all: what has no events is in no sample of them.
 */
import { Effect, Random } from "effect"
import type { SqlClient } from "effect/sql"
import type { EventStore } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as DriftAudit from "./DriftAudit.ts"
import * as LogPages from "../run/LogPages.ts"
import type { Projection, ProjectionAudit, Slot } from "../Projection.ts"
import type { Difference } from "../Projections.ts"

const page = 500

export interface Compared {
  readonly differences: ReadonlyArray<Difference>
  /** How many were compared: none that is set aside. */
  readonly streams: number
  /** The last row that was looked at; undefined if it was the last there is. */
  readonly lookedAt: string | undefined
}

const random = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  upTo: bigint,
  count: number
) {
  if (upTo === 0n) return []
  const positions = yield* Effect.replicateEffect(Random.nextIntBetween(1, Number(upTo) + 1), count)
  return yield* LogPages.someStreams(sql, projection.categories, upTo, positions.map(BigInt))
})

/** `after`: the row after which so many are looked at; not needed for all of them. */
export const compare = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  log: EventStore["Service"],
  projection: Projection,
  audit: ProjectionAudit,
  slot: Slot,
  count: number | "all",
  after?: string
) {
  const checkpoint = yield* Checkpoint.stored(sql, { name: projection.name, slot })
  const upTo = checkpoint?.position ?? 0n
  const differences: Array<Difference> = []
  let streams = 0
  const each = Effect.fnUntraced(function* (streamId: string) {
    const found = yield* DriftAudit.compare(sql, log, projection, audit, slot, streamId)
    if (found._tag !== "NotCompared") streams++
    if (found._tag === "Differs") differences.push(found.difference)
    yield* Effect.yieldNow
  })
  const eachOf = (streamIds: ReadonlyArray<string>) => Effect.forEach(streamIds, each, { discard: true })

  /** Compares what has a row and no events; the last row looked at. */
  const lookAtRows = Effect.fnUntraced(function* (after: string | undefined, limit: number) {
    const rows = yield* audit.streams(sql, slot, after, limit)
    yield* eachOf(yield* LogPages.unknownStreams(sql, rows))
    return rows.length < limit ? undefined : rows.at(-1)
  })

  if (count !== "all") {
    yield* eachOf(yield* random(sql, projection, upTo, count))
    return { differences, streams, lookedAt: yield* lookAtRows(after, count) } satisfies Compared
  }
  for (let last: string | undefined = ""; last !== undefined;) {
    const some: ReadonlyArray<string> = yield* LogPages.streamsAfter(sql, projection.categories, upTo, last, page)
    yield* eachOf(some)
    last = some.length < page ? undefined : some.at(-1)
  }
  let lookedAt = yield* lookAtRows(undefined, page)
  while (lookedAt !== undefined) lookedAt = yield* lookAtRows(lookedAt, page)
  return { differences, streams, lookedAt } satisfies Compared
})
