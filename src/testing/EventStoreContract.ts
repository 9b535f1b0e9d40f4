/**
 * What every `EventStore` must do, as tests: `EventStoreContract.suite("postgres", layer)`.
 *
 * Each case uses streams of its own, so a log may hold other events; nobody else may append while the suite runs.
 */
import { describe, layer as withLayer } from "@effect/vitest"
import type { Layer } from "effect"
import type { EventStore } from "../eventstore/EventStore.ts"
import { appendCases } from "./EventStoreAppendCases.ts"
import { readCases } from "./EventStoreReadCases.ts"

/** Registers the cases; the log is opened once for all of them. */
export const suite = <E>(name: string, layer: Layer.Layer<EventStore, E>): void => {
  describe(`EventStore contract: ${name}`, () => {
    withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const [sentence, test] of Object.entries({ ...appendCases, ...readCases })) it.effect(sentence, () => test)
    })
  })
}
