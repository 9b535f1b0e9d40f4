import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as SystemHandlers from "../http/SystemHandlers.ts"
import { AdminApi } from "./AdminApi.ts"

export const layer = HttpApiBuilder.group(
  AdminApi,
  "system",
  Effect.fnUntraced(function* (handlers) {
    return handlers.handleAll(yield* SystemHandlers.make)
  })
)
