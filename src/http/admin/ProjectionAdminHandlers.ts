import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { toState } from "../handlers/ProjectionHandlers.ts"
import { UnknownProjection } from "../../projection/ProjectionErrors.ts"
import { type AuditReport, type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { AdminApi } from "./AdminApi.ts"

const toView = (info: ProjectionInfo, audit: AuditReport | undefined) => ({
  ...toState(info),
  parked: info.parked,
  ...(info.problem === undefined ? {} : { problem: info.problem }),
  ...(info.rebuildId === undefined ? {} : { rebuildId: info.rebuildId }),
  ...(audit === undefined ? {} : { audit })
})

export const layer = HttpApiBuilder.group(
  AdminApi,
  "projections",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections

    const list = Effect.gen(function* () {
      const reports = yield* projections.audits
      const reportOf = (name: string) => reports.find(({ projection }) => projection === name)
      return (yield* projections.list).map((info) => toView(info, reportOf(info.name)))
    })

    const one = Effect.fnUntraced(function* (name: string) {
      const found = (yield* list).find((view) => view.name === name)
      return found ?? (yield* new UnknownProjection({ name }))
    })

    return handlers.handleAll({
      list: () => Effect.map(list, (data) => ({ data })),
      pause: ({ params: { name } }) => Effect.andThen(projections.pause(name), one(name)),
      resume: ({ params: { name } }) => Effect.andThen(projections.resume(name), one(name)),
      rebuild: ({ params, payload }) =>
        Effect.map(projections.rebuild(params.name, payload), (rebuild) =>
          HttpApiSchema.withHeaders({ body: rebuild, headers: { location: `/admin/rebuilds/${rebuild.id}` } })
        ),
      audit: Effect.fnUntraced(function* ({ params: { name }, payload: { streamId, streams } }) {
        const { compared, differences } = yield* streamId === undefined
          ? projections.audit(name, streams)
          : projections.auditStream(name, streamId)
        return { compared, data: differences }
      }),
      repair: ({ params, payload }) =>
        Effect.map(projections.repair(params.name, payload.streamId), (difference) =>
          difference === undefined ? { repaired: false } : { repaired: true, difference }
        )
    })
  })
)
