/** Vitest's global set-up: one real PostgreSQL for the whole run, or the one that `TEST_DATABASE_URL` names. */
import type { TestProject } from "vitest/node"
import * as PostgresServer from "../servers/PostgresServer.ts"
import { oncePerRun } from "./OncePerRun.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly postgresUrl: string
  }
}

export default async function setup(project: TestProject) {
  const given = process.env.TEST_DATABASE_URL
  if (given !== undefined && given !== "") {
    project.provide("postgresUrl", given)
    return undefined
  }
  const { release, value } = await oncePerRun("postgres", async () => {
    const { stop, url } = await PostgresServer.start()
    return { value: url, stop }
  })
  project.provide("postgresUrl", value)
  return release
}
