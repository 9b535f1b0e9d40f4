/** What operators get to see. */
import { Schema } from "effect"
import { Position } from "../wire/Codecs.ts"
import { projectionState } from "../api/ProjectionApi.ts"
import { RebuildState } from "../../projection/rebuild/RebuildState.ts"

const optional = Schema.optionalKey
const Text = Schema.String
const Id = Schema.String

export const DifferenceView = Schema.Struct({
  projection: Text,
  streamId: Text,
  kind: Schema.Literals(["different", "missing", "behind", "extra"]),
  field: Text,
  /** `null` if there is none: of a row that is missing or extra, or a field that only one of them has. */
  inView: Schema.optional(Schema.Unknown),
  inLog: Schema.optional(Schema.Unknown),
  version: Schema.Int,
  event: optional(Schema.Struct({ version: Schema.Int, type: Text, position: Position })),
  foundAt: Text
}).annotate({ identifier: "Difference" })

/** Of this process since it started. */
const AuditView = Schema.Struct({
  audited: Schema.Int,
  found: Schema.Int,
  repaired: Schema.Int,
  lastAt: optional(Text),
  differences: Schema.Array(DifferenceView)
}).annotate({ identifier: "Audit" })

export const ProjectionView = Schema.Struct({
  ...projectionState,
  parked: Schema.Int,
  problem: optional(Text),
  rebuildId: optional(Id),
  audit: optional(AuditView)
}).annotate({ identifier: "Projection" })

export const RebuildView = Schema.Struct({
  id: Id,
  projection: Text,
  version: Schema.Int,
  state: RebuildState,
  from: Position,
  position: Position,
  target: Position,
  rate: Schema.Number.annotate({ description: "events per second, lately" }),
  etaSeconds: optional(Schema.Number),
  compared: Schema.Int,
  different: Schema.Int,
  problem: optional(Text),
  startedAt: Text,
  finishedAt: optional(Text)
}).annotate({ identifier: "Rebuild" })

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
  busy: Schema.Int,
  waiting: Schema.Int,
  inFlight: Schema.Int,
  busiest: Schema.Array(
    Schema.Struct({ streamId: Text, version: Schema.Int, waiting: Schema.Int, open: Schema.Int, lastUsed: Text })
  )
}).annotate({ identifier: "Actors" })

export const SettingView = Schema.Struct({
  name: Text,
  value: Text,
  isDefault: Schema.Boolean,
  meaning: Text
}).annotate({ identifier: "Setting" })
