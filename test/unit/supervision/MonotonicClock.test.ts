import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"

it("the wall clock is read only where a time is stored or shown; deadlines and pauses are of the monotonic clock", () => {
  const readers = globSync("src/**/*.ts").filter((file) =>
    /currentTime(Millis|Nanos)|Date\.now|DateTime\.now|new Date\(\)/.test(readFileSync(file, "utf8"))
  )
  assert.deepStrictEqual(readers.sort(), [
    "src/aggregate/actor/ActorRegistry.ts",
    "src/aggregate/idempotency/Commands.ts",
    "src/bus/inbox/Reply.ts",
    "src/eventstore/MemoryEventStore.ts",
    "src/eventstore/UuidV7.ts",
    "src/http/admin/KeyHandlers.ts",
    "src/identity/ApiKeys.ts",
    "src/identity/DevelopmentTokens.ts",
    "src/identity/Identities.ts",
    "src/identity/JsonWebTokens.ts",
    "src/mongodb/OrderCollections.ts",
    "src/projection/audit/DriftAudit.ts",
    "src/projection/audit/SqlAudits.ts",
    "src/projection/store/Memory.ts",
    "src/projection/store/MemoryProjectionStore.ts",
    "src/projection/view/MemoryView.ts",
    "src/server/cli/commands/Keys.ts",
    "src/server/cli/doctor/DatabaseChecks.ts",
    "src/telemetry/otlp/ExportQueue.ts",
    "src/testing/simulation/World.ts",
    "src/views/MemoryFold.ts",
    "src/webhooks/MemoryWebhookStore.ts",
    "src/webhooks/WebhookRequest.ts"
  ])
})
