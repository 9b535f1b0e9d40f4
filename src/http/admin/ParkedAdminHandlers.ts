import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Projections } from "../../projection/Projections.ts"
import { AdminApi } from "./AdminApi.ts"

export const layer = HttpApiBuilder.group(
  AdminApi,
  "parked",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections
    return handlers.handleAll({
      list: () => Effect.map(projections.parked, (data) => ({ data })),
      retry: ({ params }) => projections.retry(params.id),
      skip: ({ params, payload }) => projections.skip(params.id, payload.version)
    })
  })
)
