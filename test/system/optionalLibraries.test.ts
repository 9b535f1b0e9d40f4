import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { assert, it } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { embeddedDatabase, freshDatabase, server } from "../../harness/servers/Resources.ts"
import { node } from "../../harness/servers/ServerProcess.ts"

const listing = pathToFileURL(join(import.meta.dirname, "..", "..", "harness", "servers", "LoadedModules.mjs")).href

const loadedBy = (output: string) => [...output.matchAll(/^loaded package (.+)$/gm)].map(([, name]) => name ?? "")

it("a server without settings for other servers loads none of the libraries that these need", async () => {
  const [executable, ...rest] = node
  const { output, stop, url } = await server({ DATABASE_URL: await embeddedDatabase() }, [
    executable!,
    "--import",
    listing,
    ...rest
  ])
  await fillCatalog(url)
  assert.strictEqual((await call(url, "POST", "/orders", { body: placement() })).status, 202)
  await stop()
  const loaded = loadedBy(output())
  assert.includeMembers(loaded, ["effect", "@electric-sql/pglite"])
  assert.notIncludeMembers(loaded, ["@platformatic/kafka"])
  assert.isEmpty(loaded.filter((name) => /kafka|mongo|redis/.test(name)))
})

it("a server with a cache loads the client of Redis, be the cache there or not", async () => {
  const [executable, ...rest] = node
  const settings = { DATABASE_URL: await embeddedDatabase(), CACHE: "redis://127.0.0.1:1" }
  const { output, stop } = await server(settings, [executable!, "--import", listing, ...rest])
  await stop()
  assert.includeMembers(loadedBy(output()), ["redis"])
})

it("a server that takes commands alone has no use for the cache", async () => {
  const [executable, ...rest] = node
  const settings = { DATABASE_URL: await freshDatabase(), ROLE: "command", CACHE: "redis://127.0.0.1:1" }
  const { output, stop } = await server(settings, [executable!, "--import", listing, ...rest])
  await stop()
  assert.include(loadedBy(output()), "effect")
  assert.notInclude(loadedBy(output()), "redis")
})
