/** Answers how far each view is behind the log. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { Api } from "../api/Api.ts"

/** The part of a projection's state that everybody may see; `lag` is in seconds, to the millisecond. */
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
