/** Answers how far each view is behind the log. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { Api } from "../api/Api.ts"

/** Rounds `lag`, which is in seconds, to the millisecond; the schema of the answer keeps back what only operators may see. */
export const toState = (info: ProjectionInfo) => ({ ...info, lag: Math.round(info.lag * 1000) / 1000 })

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
