/** Defines what operators send and get, as `AdminApi` names it. The schemas also decide which fields go out. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { Position } from "../wire/Codecs.ts"
import { projectionState } from "../api/ProjectionApi.ts"
import { RebuildState } from "../../projection/rebuild/Rebuilds.ts"

const optional = Schema.optionalKey
const Text = Schema.String
const Id = Schema.String

export const listOf = <Item extends Schema.Top>(item: Item) => Schema.Struct({ data: Schema.Array(item) })

export const DifferenceView = Schema.Struct({
  projection: Text,
  streamId: Text,
  kind: Schema.Literals(["different", "missing", "behind", "extra"]),
  field: Text,
  /**
   * `inView` and `inLog` hold the field's value in the row and in the fold of the log. `null` means that there is no
   * such value: the row or the stream is missing, or it lacks the field.
   */
  inView: Schema.optional(Schema.Unknown),
  inLog: Schema.optional(Schema.Unknown),
  version: Schema.Int,
  event: optional(Schema.Struct({ version: Schema.Int, type: Text, position: Position })),
  foundAt: Text
}).annotate({ identifier: "Difference" })

/** This process has found these things since it started. */
const AuditView = Schema.Struct({
  audited: Schema.Int,
  found: Schema.Int,
  repaired: Schema.Int,
  lastAt: optional(Text),
  differences: Schema.Array(DifferenceView)
}).annotate({ identifier: "Audit" })

export const ProjectionView = Schema.Struct({
  ...projectionState,
  kind: Schema.Literals(["projection", "subscription"]),
  parked: Schema.Int,
  problem: optional(Text),
  rebuildId: optional(Id),
  audit: optional(AuditView)
}).annotate({ identifier: "Projection" })

export const RewindRequest = Schema.Struct({
  to: Text.annotate({ description: '"start", "end", or a consistency token: behind the event that it was given for.' })
})

export const RebuildView = Schema.Struct({
  id: Id,
  projection: Text,
  version: Schema.Int,
  state: RebuildState,
  from: Position,
  position: Position,
  target: Position,
  rate: Schema.Finite.annotate({ description: "events per second, lately" }),
  etaSeconds: optional(Schema.Finite),
  compared: Schema.Int,
  different: Schema.Int,
  problem: optional(Text),
  startedAt: Text,
  finishedAt: optional(Text)
}).annotate({ identifier: "Rebuild" })

const StreamId = Text.check(
  Schema.isPattern(/^[a-z]+-[^\p{Cc}\p{Cs}]{1,200}$/u, { expected: "a stream id such as order-ord_…" })
)

export const AuditRequest = Schema.Struct({
  streams: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
  streamId: optional(StreamId)
})
  .check(
    Schema.makeFilter(({ streamId, streams }) => streamId === undefined || streams === undefined, {
      expected: "either streams or streamId"
    })
  )
  .annotate({ description: "a number of streams to be picked at random (100 without it), or one stream" })

export const RepairRequest = Schema.Struct({ streamId: StreamId })

export const SkipRequest = Schema.Struct({
  version: optional(Schema.Int.check(Schema.isGreaterThan(0)))
}).annotate({
  identifier: "SkipRequest",
  description: "the version that the stream is parked at; without it, a repeated request may drop the event after it"
})

export const RebuildRequest = Schema.Struct({
  eventsPerSecond: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })).annotate({
      description: "0 = as fast as it goes; without it, the setting REBUILD_RATE"
    })
  ),
  compare: optional(
    Schema.Union([
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })),
      Schema.Literal("all")
    ]).annotate({
      description: "how many rows are compared with the log before it is put in place; 200 without it"
    })
  )
}).annotate({ identifier: "RebuildRequest" })

export const ParkedView = Schema.Struct({
  id: Id,
  projection: Text,
  streamId: Text,
  version: Schema.Int,
  position: Position,
  reason: Text,
  parkedAt: Text,
  retries: Schema.Int,
  parked: Schema.Boolean,
  degraded: Schema.Boolean,
  skipped: Schema.Array(Schema.Int)
}).annotate({ identifier: "ParkedStream" })

export const ActorsView = Schema.Struct({
  residents: Schema.Int,
  residentBytes: Schema.Int,
  busy: Schema.Int,
  waiting: Schema.Int,
  inFlight: Schema.Int,
  busiest: Schema.Array(
    Schema.Struct({ streamId: Text, version: Schema.Int, waiting: Schema.Int, open: Schema.Int, lastUsed: Text })
  )
}).annotate({ identifier: "Actors" })

export const FiberView = Schema.Struct({
  name: Text,
  state: Schema.Literals(["running", "restarting"]),
  restarts: Schema.Int,
  lastError: Schema.optionalKey(Text)
}).annotate({ identifier: "Fiber" })

export const SettingView = Schema.Struct({
  name: Text,
  value: Text,
  isDefault: Schema.Boolean,
  meaning: Text
}).annotate({ identifier: "Setting" })

export const Prometheus = Schema.String.pipe(
  HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })
)
