import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { start, type TestServer } from "../../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await start()
})
afterAll(() => server.stop())

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
const typeFor = async (accept: string) => (await server.get("/", { accept })).headers.get("content-type")

describe("the page at /", () => {
  it("is JSON for programs and HTML for browsers", async () => {
    for (const accept of [
      "*/*",
      "application/json",
      "text/html;q=0.5, application/json",
      "text/html;q=0, */*",
      "image/png"
    ]) {
      assert.strictEqual(await typeFor(accept), "application/json", accept)
    }
    for (const accept of [browser, "text/html", "application/json;q=0.1, text/*;q=0.2", "TEXT/HTML"]) {
      assert.match((await typeFor(accept)) ?? "", /^text\/html/, accept)
    }
    assert.strictEqual((await server.get("/", { accept: browser })).headers.get("vary"), "Accept")
  })

  it("links to nothing but what there is, in both forms the same", async () => {
    const { body } = await server.get("/")
    const links = Object.values<string>(body.links)
    assert.includeMembers(links, ["/docs", "/openapi.json", "/events", "/projections", "/health/ready"])
    const { text } = await server.get("/", { accept: browser })
    assert.sameMembers(
      [...text.matchAll(/href="([^"]+)"/g)].map((match) => match[1]),
      links
    )
    for (const link of links) {
      const abort = new AbortController()
      const { status } = await fetch(`${server.url}${link}`, { signal: abort.signal })
      assert.strictEqual(status, 200, link)
      abort.abort()
    }
  })

  it("takes GET and HEAD alone, and is no page of another host name", async () => {
    const posted = await server.send("POST", "/")
    assert.deepStrictEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"])
    assert.strictEqual((await server.request("HEAD", "/")).status, 200)
    assert.strictEqual((await server.get("/favicon.ico")).status, 404)
  })
})

describe("a page that does not change", () => {
  it("has an entity tag, and is not sent again to who has it", async () => {
    for (const path of ["/", "/docs", "/openapi.json"]) {
      const etag = (await server.get(path)).headers.get("etag") ?? ""
      assert.match(etag, /^"[\w-]{22}"$/, path)
      for (const known of [etag, `"x", W/${etag}`, "*"]) {
        const { headers, status, text } = await server.get(path, { "if-none-match": known })
        assert.deepStrictEqual([status, headers.get("etag"), text], [304, etag, ""], path)
      }
      assert.strictEqual((await server.get(path, { "if-none-match": '"x"' })).status, 200, path)
    }
    const [json, html] = [await server.get("/"), await server.get("/", { accept: browser })]
    assert.notStrictEqual(json.headers.get("etag"), html.headers.get("etag"))
  })
})
