/** Answers `GET /projections`. The schema of the answer decides what everybody may know of a projection. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Projections } from "../../projection/Projections.ts"
import { Api } from "../api/Api.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "projections",
  Effect.fnUntraced(function* (handlers) {
    const projections = yield* Projections
    return handlers.handleAll({
      list: () => Effect.map(projections.list, (data) => ({ data }))
    })
  })
)
