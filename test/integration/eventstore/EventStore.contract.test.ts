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

EventStoreContract.suite("memory", MemoryEventStore.layer())
EventStoreContract.suite("PostgreSQL", freshLogLayer())
EventStoreContract.suite(
  "PostgreSQL, every pool of size 1",
  freshLogLayer({ pools: { append: 1, projections: 1, reads: 1 } })
)
// A name that SQL must have quoted.
EventStoreContract.suite("PostgreSQL, the schema order", freshLogLayer({ schema: "order" }))
EventStoreContract.suite("PGlite in memory", logLayer("pglite:memory"))
EventStoreContract.suite("PGlite in memory, the schema shop", logLayer("pglite:memory", { schema: "shop" }))
EventStoreContract.suite(
  "PGlite in a directory",
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => logLayer(`pglite:${join(directory, "data")}`)))
)
