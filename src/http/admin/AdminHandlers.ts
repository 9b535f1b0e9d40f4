/** Answers the operators' API: calls the services of `projection`, and adds an audit's report to its projection. */
import { Context, Effect, Layer } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { Aggregates } from "../../aggregate/Aggregates.ts"
import { type AuditReport, Audits } from "../../projection/audit/Audits.ts"
import { ParkedStreams } from "../../projection/parking/ParkedStreams.ts"
import { UnknownProjection } from "../../projection/ProjectionErrors.ts"
import { type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { Rebuilds } from "../../projection/rebuild/Rebuilds.ts"
import { Supervisor } from "../../supervision/Supervisor.ts"
import * as SystemHandlers from "../handlers/SystemHandlers.ts"
import { AdminApi } from "./AdminApi.ts"
import * as KeyHandlers from "./KeyHandlers.ts"
import * as PrometheusEndpoint from "./PrometheusEndpoint.ts"
import * as WebhookHandlers from "./WebhookHandlers.ts"

/** Operators see a setting with its value as text; a secret value is not shown. */
export interface ShownSetting {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
  readonly meaning: string
}

export class ShownSettings extends Context.Service<ShownSettings, ReadonlyArray<ShownSetting>>()(
  "ordinal/http/admin/AdminHandlers/ShownSettings"
) {}

const list = <A, E>(data: Effect.Effect<A, E>) => Effect.map(data, (data) => ({ data }))

const withAudit = (info: ProjectionInfo, audit: AuditReport | undefined) =>
  audit === undefined ? info : { ...info, audit }

const projections = HttpApiBuilder.group(
  AdminApi,
  "projections",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections
    const rebuilds = yield* Rebuilds
    const audits = yield* Audits

    const views = Effect.gen(function* () {
      const reports = new Map((yield* audits.reports).map((report) => [report.projection, report]))
      return (yield* projections.list).map((info) => withAudit(info, reports.get(info.name)))
    })
    const viewOf = Effect.fnUntraced(function* (name: string) {
      const view = (yield* views).find((view) => view.name === name)
      return view ?? (yield* new UnknownProjection({ name }))
    })

    return handlers.handleAll({
      list: () => list(views),
      pause: ({ params: { name } }) => Effect.andThen(projections.pause(name), viewOf(name)),
      resume: ({ params: { name } }) => Effect.andThen(projections.resume(name), viewOf(name)),
      rewind: ({ params: { name }, payload: { to } }) => Effect.andThen(projections.rewind(name, to), viewOf(name)),
      rebuild: Effect.fnUntraced(function* ({ params, payload }) {
        const body = yield* rebuilds.start(params.name, payload)
        return HttpApiSchema.withHeaders({ body, headers: { location: `/admin/rebuilds/${body.id}` } })
      }),
      audit: Effect.fnUntraced(function* ({ params: { name }, payload: { streamId, streams } }) {
        const { compared, differences } = yield* streamId === undefined
          ? audits.auditSample(name, streams)
          : audits.auditStream(name, streamId)
        return { compared, data: differences }
      }),
      repair: Effect.fnUntraced(function* ({ params, payload }) {
        const difference = yield* audits.repair(params.name, payload.streamId)
        return difference === undefined ? { repaired: false } : { repaired: true, difference }
      })
    })
  })
)

const rebuilds = HttpApiBuilder.group(
  AdminApi,
  "rebuilds",
  Effect.fnUntraced(function* (handlers) {
    const rebuilds = yield* Rebuilds
    return handlers.handleAll({
      list: () => list(rebuilds.list),
      get: ({ params }) => rebuilds.get(params.id),
      pause: ({ params }) => rebuilds.pause(params.id),
      resume: ({ params }) => rebuilds.resume(params.id),
      abort: ({ params }) => rebuilds.abort(params.id)
    })
  })
)

const parked = HttpApiBuilder.group(
  AdminApi,
  "parked",
  Effect.fnUntraced(function* (handlers) {
    const parked = yield* ParkedStreams
    return handlers.handleAll({
      list: () => list(parked.list),
      retry: ({ params }) => parked.retry(params.id),
      skip: ({ params, payload }) => parked.skip(params.id, payload.version)
    })
  })
)

const maxBusiest = 10

const process = HttpApiBuilder.group(
  AdminApi,
  "process",
  Effect.fnUntraced(function* (handlers) {
    const aggregates = yield* Aggregates
    const settings = yield* ShownSettings
    const supervisor = yield* Supervisor.reference
    const metrics = yield* PrometheusEndpoint.make
    return handlers.handleAll({
      metrics: () => metrics,
      actors: () => aggregates.report(maxBusiest),
      fibers: () => list(Effect.sync(supervisor.list)),
      config: () => list(Effect.succeed(settings)),
      problem: SystemHandlers.explain
    })
  })
)

export const layer = Layer.mergeAll(projections, rebuilds, parked, WebhookHandlers.layer, KeyHandlers.layer, process)
