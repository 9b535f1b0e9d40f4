/** The server under the documented roles of the database, on each version of PostgreSQL that it supports; npm brings them. */
import { describe, inject, it, onTestFinished } from "vitest"
import { worksByRole } from "../../harness/servers/DatabaseRoles.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import * as OlderPostgres from "../../harness/services/OlderPostgres.ts"

describe("processes with rights of their own keep to them, and need no more", () => {
  it.each([15, 16, 17] as const)("on PostgreSQL %i", async (version) => {
    const postgres = await PostgresServer.start({}, await OlderPostgres.install(version))
    onTestFinished(postgres.stop)
    await worksByRole(postgres.url, version)
  })

  it("on PostgreSQL 18", () => worksByRole(inject("postgresUrl"), 18))
})
