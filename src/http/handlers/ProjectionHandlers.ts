import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { Api } from "../api/Api.ts"

/** What everybody may know: no more than this. */
export const toState = ({ behind, head, lag, name, position, status, updatedAt, version }: ProjectionInfo) => ({
  name,
  version,
  status,
  position,
  head,
  behind,
  lag: Math.round(lag * 1000) / 1000,
  ...(updatedAt === undefined ? {} : { updatedAt })
})

export const layer = HttpApiBuilder.group(
  Api,
  "projections",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections
    return handlers.handleAll({
      list: () => Effect.map(projections.list, (infos) => ({ data: infos.map(toState) }))
    })
  })
)
