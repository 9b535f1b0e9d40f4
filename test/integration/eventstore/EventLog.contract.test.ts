import { Effect, Layer } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as MemoryEventLog from "../../../src/eventstore/MemoryEventLog.ts"
import * as EventLogContract from "../../../src/testing/EventLogContract.ts"
import { freshLogLayer, logLayer } from "../../../harness/views/logLayer.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-pglite-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

EventLogContract.suite("memory", MemoryEventLog.layer())
EventLogContract.suite("PostgreSQL", freshLogLayer())
EventLogContract.suite(
  "PostgreSQL, every pool of size 1",
  freshLogLayer({ pools: { append: 1, projections: 1, reads: 1 } })
)
EventLogContract.suite("PGlite in memory", logLayer("pglite:memory"))
EventLogContract.suite(
  "PGlite in a directory",
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => logLayer(`pglite:${join(directory, "data")}`)))
)
