import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Projections } from "../../projection/Projections.ts"
import { AdminApi } from "./AdminApi.ts"

export const layer = HttpApiBuilder.group(
  AdminApi,
  "rebuilds",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections
    return handlers.handleAll({
      list: () => Effect.map(projections.rebuilds, (data) => ({ data })),
      get: ({ params }) => projections.rebuildStatus(params.id),
      pause: ({ params }) => projections.pauseRebuild(params.id),
      resume: ({ params }) => projections.resumeRebuild(params.id),
      abort: ({ params }) => projections.abortRebuild(params.id)
    })
  })
)
