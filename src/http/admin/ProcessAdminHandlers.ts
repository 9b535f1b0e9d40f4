import { Context, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Aggregates } from "../../aggregate/Aggregates.ts"
import * as SystemHandlers from "../handlers/SystemHandlers.ts"
import { AdminApi } from "./AdminApi.ts"
import * as PrometheusEndpoint from "./PrometheusEndpoint.ts"

/** A setting as it may be shown. */
export interface ShownSetting {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
  readonly meaning: string
}

export class ShownSettings extends Context.Service<ShownSettings, ReadonlyArray<ShownSetting>>()(
  "ordinal/http/admin/ShownSettings"
) {}

const busiest = 10

export const layer = HttpApiBuilder.group(
  AdminApi,
  "process",
  Effect.fnUntraced(function* (handlers) {
    const aggregates = yield* Aggregates
    const data = yield* ShownSettings
    const scrape = yield* PrometheusEndpoint.make
    return handlers.handleAll({
      metrics: () => scrape,
      actors: () => aggregates.report(busiest),
      config: () => Effect.succeed({ data }),
      problem: SystemHandlers.explain
    })
  })
)
