/** Which streams are compared, and comparing them one after the other, giving way to everybody else. */
import { Effect, Random } from "effect"
import type { SqlClient } from "effect/sql"
import type { EventLog } from "../eventlog/EventLog.ts"
import { StreamId } from "../eventlog/StreamId.ts"
import * as Checkpoint from "./Checkpoint.ts"
import * as DriftAudit from "./DriftAudit.ts"
import * as LogPages from "./LogPages.ts"
import type { Projection, ProjectionAudit, Slot } from "./Projection.ts"
import type { Difference } from "./Projections.ts"

const page = 500

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

export const compare = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  log: EventLog["Service"],
  projection: Projection,
  audit: ProjectionAudit,
  slot: Slot,
  count: number | "all"
) {
  const checkpoint = yield* Checkpoint.stored(sql, { name: projection.name, slot })
  const differences: Array<Difference> = []
  let streams = 0
  const each = Effect.fnUntraced(function* (streamId: string) {
    const found = yield* DriftAudit.compare(sql, log, projection, audit, slot, StreamId.make(streamId))
    if (found !== undefined) differences.push(found.difference)
    streams++
    yield* Effect.yieldNow
  })
  const upTo = checkpoint?.position ?? 0n
  if (count !== "all") {
    yield* Effect.forEach(yield* random(sql, projection, upTo, count), each, { discard: true })
    return { differences, streams }
  }
  let after = ""
  for (;;) {
    const some = yield* LogPages.streamsAfter(sql, projection.categories, upTo, after, page)
    yield* Effect.forEach(some, each, { discard: true })
    if (some.length < page) return { differences, streams }
    after = some[some.length - 1]!
  }
})
