/** Tells whoever reports metrics how gauges are read, which are made for each report. The reader of the operators' port sets it. */
import { Context, type Effect } from "effect"

export interface Source {
  /** Makes the gauges in the registry of the context. */
  read: Effect.Effect<void> | undefined
}

/** All layers of a process share this one, unless another one is provided to them. */
export const GaugeSource = Context.Reference<Source>("ordinal/telemetry/GaugeSource", {
  defaultValue: () => ({ read: undefined })
})
