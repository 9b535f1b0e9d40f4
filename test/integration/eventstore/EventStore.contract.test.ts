import { Effect, Layer } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import * as EventStoreContract from "../../../src/testing/EventStoreContract.ts"
import { freshLogLayer, logLayer } from "../../../harness/views/LogLayer.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-pglite-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

EventStoreContract.suite(MemoryEventStore.layer(), "memory")
EventStoreContract.suite(freshLogLayer(), "PostgreSQL")
EventStoreContract.suite(
  freshLogLayer({ pools: { append: 1, projections: 1, reads: 1 } }),
  "PostgreSQL, every pool of size 1"
)
// A name that SQL must have quoted.
EventStoreContract.suite(freshLogLayer({ schema: "order" }), "PostgreSQL, the schema order")
EventStoreContract.suite(logLayer("pglite:memory"), "PGlite in memory")
EventStoreContract.suite(logLayer("pglite:memory", { schema: "shop" }), "PGlite in memory, the schema shop")
EventStoreContract.suite(
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => logLayer(`pglite:${join(directory, "data")}`))),
  "PGlite in a directory"
)
