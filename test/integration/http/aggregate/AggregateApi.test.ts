import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpApi, HttpApiClient, OpenApi } from "effect/http-api"
import { FetchHttpClient } from "effect/http"
import { brokenAt, inMemory, PotId, Pots, PotsApi, url } from "../../../../harness/aggregates/Pots.ts"
import { type Call, call, slug } from "../../../../harness/clients/HttpClient.ts"
import { start } from "../../../../harness/servers/ApiServer.ts"
import * as Aggregate from "../../../../src/aggregate/Aggregate.ts"
import * as AggregateApi from "../../../../src/http/aggregate/AggregateApi.ts"
import { operationsOf } from "../../../../src/http/api/openapi/Document.ts"
import { maxBodyBytes } from "../../../../src/http/problems/HttpError.ts"

const caller = Effect.map(
  url,
  (url) => (method: string, path: string, options?: Call) =>
    Effect.promise(() => call(url, method, `/clay-pots${path}`, options))
)

const key = (key: string) => ({ "idempotency-key": key })

describe("the API of an aggregate", () => {
  it.live("answers a command with the events, the state and the version that it led to", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const answer = yield* send("POST", "/a/fill-up", { body: { coins: 5 } })
      assert.deepStrictEqual(
        [answer.status, answer.headers.get("etag"), answer.headers.get("idempotent-replayed")],
        [200, '"1"', null]
      )
      assert.match(answer.headers.get("consistency-token") ?? "", /^1\.[0-9a-f]{12}$/)
      const { commandId, ...body } = answer.body
      assert.deepStrictEqual(body, {
        version: 1,
        events: [{ _tag: "Filled", coins: 5 }],
        state: { coins: 5, isBroken: false }
      })
      assert.match(commandId, /^[0-9a-f-]{36}$/)
      const nothing = yield* send("POST", "/a/break")
      assert.deepStrictEqual([nothing.status, nothing.body.version], [200, 2])
    }).pipe(Effect.provide(inMemory))
  )

  it.live("takes each key once, and answers a repeat as the first time", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const fill = (coins: number) => send("POST", "/a/fill-up", { body: { coins }, headers: key("k") })
      const twins = yield* Effect.all(
        Array.from({ length: 20 }, () => fill(5)),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        twins.filter(({ headers }) => headers.get("idempotent-replayed") === null),
        1
      )
      yield* send("POST", "/a/take", { body: { coins: 5 } })
      for (const { status, text } of [...twins, yield* fill(5)]) {
        assert.deepStrictEqual([status, text], [200, twins[0]!.text])
      }
      const other = yield* fill(6)
      assert.deepStrictEqual([other.status, slug(other)], [422, "idempotency-key-reused"])
      // Callers, commands and ids are apart.
      assert.strictEqual((yield* send("POST", "/b/fill-up", { body: { coins: 6 }, headers: key("k") })).status, 200)
    }).pipe(Effect.provide(inMemory))
  )

  it.live("does nothing unless the version is the caller's", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const fill = (headers: Record<string, string>) => send("POST", "/a/fill-up", { body: { coins: 1 }, headers })
      assert.deepStrictEqual(slug(yield* fill({ "if-match": "*" })), "version-mismatch")
      assert.strictEqual((yield* fill({ "if-none-match": "*" })).status, 200)
      const exists = yield* fill({ "if-none-match": "*" })
      assert.deepStrictEqual([exists.status, exists.body.currentVersion], [412, 1])
      assert.strictEqual((yield* fill({ "if-match": '"7", "1"' })).status, 200)
      const stale = yield* fill({ "if-match": '"1"' })
      assert.deepStrictEqual([stale.status, stale.body.expected, stale.body.currentVersion], [412, 1, 2])
    }).pipe(Effect.provide(inMemory))
  )

  it.live("leaves the state out for who prefers a minimal answer", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const headers = { prefer: "wait=5, return=minimal" }
      const answer = yield* send("POST", "/a/fill-up", { body: { coins: 1 }, headers })
      assert.deepStrictEqual(
        [answer.status, answer.text, answer.headers.get("etag"), answer.headers.get("preference-applied")],
        [204, "", '"1"', "return=minimal"]
      )
    }).pipe(Effect.provide(inMemory))
  )

  it.live("answers rejections as problems of their own, with their fields", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const { headers: _, ...tooFew } = yield* send("POST", "/a/take", { body: { coins: 9 } })
      const { instance, ...problem } = tooFew.body
      assert.deepStrictEqual(
        [tooFew.status, problem],
        [
          422,
          {
            type: "/problems/too-few",
            title: "Too few",
            status: 422,
            detail: "There are only 0 coins in the pot.",
            coins: 0
          }
        ]
      )
      assert.match(instance, /^urn:uuid:/)
      yield* send("POST", "/a/break")
      const broken = yield* send("POST", "/a/take", { body: { coins: 9 }, headers: key("again") })
      assert.deepInclude(broken.body, { status: 409, detail: "Pot broken.", since: brokenAt.toISOString() })
    }).pipe(Effect.provide(inMemory))
  )

  it.live("answers the state, the initial one at version 0 before there are events", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const none = yield* send("GET", "/a")
      assert.deepStrictEqual(
        [none.status, none.body, none.headers.get("etag")],
        [200, { version: 0, state: { coins: 0, isBroken: false } }, '"0"']
      )
      const sent = yield* send("POST", "/a/fill-up", { body: { coins: 5 } })
      const token = sent.headers.get("consistency-token")!
      const read = yield* send("GET", "/a", { headers: { "consistency-token": token, prefer: "wait=1" } })
      assert.deepStrictEqual(read.body, { version: 1, state: { coins: 5, isBroken: false } })
      assert.strictEqual(read.headers.get("consistency-token"), token)
      const known = yield* send("GET", "/a", { headers: { "if-none-match": '"1"' } })
      assert.deepStrictEqual([known.status, known.text, known.headers.get("etag")], [304, "", '"1"'])
      const refused = yield* send("GET", "/a", { headers: { "consistency-token": "x" } })
      assert.deepStrictEqual([refused.status, slug(refused)], [400, "invalid-token"])
    }).pipe(Effect.provide(inMemory))
  )

  it.live("answers the events as CloudEvents, page by page", () =>
    Effect.gen(function* () {
      const send = yield* caller
      const id = "0199aa5e-8f00-7c21-9d3a-5b1f0c2d4e6f"
      const first = yield* send("POST", "/a/fill-up", { body: { coins: 5 }, headers: { "x-request-id": id } })
      assert.strictEqual(first.headers.get("x-request-id"), id)
      yield* send("POST", "/a/take", { body: { coins: 1 } })
      const page = yield* send("GET", "/a/events?limit=1")
      assert.strictEqual(page.headers.get("content-type"), "application/cloudevents-batch+json")
      assert.deepInclude(page.body[0], {
        type: "pot.filled.v1",
        subject: "a",
        streamversion: 1,
        correlationid: id,
        causationid: first.body.commandId,
        data: { coins: 5 }
      })
      assert.notProperty(page.body[0], "actor")
      assert.strictEqual(page.headers.get("link"), `</clay-pots/a/events?limit=1&after=1>; rel="next"`)
      const rest = yield* send("GET", "/a/events?limit=10&after=1")
      assert.deepStrictEqual(
        rest.body.map(({ type }: { type: string }) => type),
        ["pot.taken.v1"]
      )
      assert.strictEqual(rest.headers.get("link"), null)
      assert.deepStrictEqual((yield* send("GET", "/b/events")).body, [])
    }).pipe(Effect.provide(inMemory))
  )

  it.live("is typed for clients that are made of the definition", () =>
    Effect.gen(function* () {
      const client = yield* HttpApiClient.make(PotsApi, { baseUrl: yield* url })
      const params = { id: PotId.make("a") }
      const { body } = yield* client.pot.fillUp({ params, payload: { coins: 7 }, headers: { "if-none-match": "*" } })
      assert.strictEqual(body?.state.coins, 7)
      yield* client.pot.break({ params, headers: {} })
      const rejected = yield* Effect.flip(client.pot.take({ params, payload: { coins: 7 }, headers: {} }))
      assert.strictEqual(rejected._tag === "PotBroken" ? rejected.since.getTime() : 0, brokenAt.getTime())
      assert.strictEqual((yield* client.pot.get({ params, headers: {} })).body?.version, 2)
    }).pipe(Effect.provide([inMemory, FetchHttpClient.layer]))
  )
})

/** Each request is wrong in one way. `$` is the path of a command, `&` of one without a body, and `@` of a read. */
const hostile: ReadonlyArray<readonly [what: string, method: string, path: string, options: RequestInit]> = [
  ["an unknown member", "POST", "$", { body: '{"surprise":1}' }],
  ["no object", "POST", "$", { body: "[1]" }],
  ["broken JSON", "POST", "$", { body: '{"a":' }],
  ["JSON that is nested too deep", "POST", "$", { body: "[".repeat(40) }],
  ["a body that is no UTF-8", "POST", "$", { body: new Uint8Array([0x22, 0xff, 0x22]) }],
  ["a huge body", "POST", "$", { body: `"${"x".repeat(maxBodyBytes)}"` }],
  ["another content type", "POST", "$", { body: "{}", headers: { "content-type": "text/plain" } }],
  ["a compressed body", "POST", "$", { body: "{}", headers: { "content-encoding": "gzip" } }],
  ["a malformed If-Match", "POST", "&", { headers: { "if-match": "7" } }],
  ["a weak If-None-Match", "POST", "&", { headers: { "if-none-match": '"7"' } }],
  ["both preconditions", "POST", "&", { headers: { "if-match": "*", "if-none-match": "*" } }],
  ["an empty key", "POST", "&", { headers: { "idempotency-key": '""' } }],
  ["a key that is too long", "POST", "&", { headers: { "idempotency-key": "k".repeat(256) } }],
  ["a parameter of no meaning", "POST", "$?x=1", { body: "{}" }],
  ["a page of another site", "POST", "$", { body: "{}", headers: { origin: "https://evil.example" } }],
  ["an unknown path", "POST", "$/more", { body: "{}" }],
  ["another method", "DELETE", "$", {}],
  ["an id that can't be decoded", "GET", "@/%ff", {}],
  ["a limit that is none", "GET", "@/events?limit=0", {}],
  ["a parameter given twice", "GET", "@/events?limit=1&limit=2", {}],
  ["an unknown parameter", "GET", "@/events?colour=red", {}],
  ["no consistency token", "GET", "@", { headers: { "consistency-token": "?" } }]
]

it.live("refuses what a hostile client sends with the documents of the order API", () =>
  Effect.gen(function* () {
    const orders = yield* Effect.acquireRelease(
      Effect.promise(() => start()),
      (server) => Effect.promise(() => server.stop())
    )
    const order = "/orders/ord_0199aa5e-8f00-7c21-9d3a-5b1f0c2d4e6f"
    const product = "/products/mug"
    const pots = yield* url
    const answers = Effect.fnUntraced(function* (server: string, paths: Record<string, string>, index: number) {
      const [, method, path, { headers, ...options }] = hostile[index]!
      const target = path.replace(/^[$&@]/, (mark) => paths[mark]!)
      const sent = { method, headers: { "content-type": "application/json", ...headers }, ...options }
      const response = yield* Effect.promise(() => fetch(server + target, sent))
      const { instance: _, ...problem } = JSON.parse(yield* Effect.promise(() => response.text()))
      const shown = ["content-type", "allow", "accept", "connection", "retry-after"].map((n) => response.headers.get(n))
      return { status: response.status, problem, shown }
    })
    for (const [index, [what, , path]] of hostile.entries()) {
      const read = path.startsWith("@/events") ? order : product
      const known = { $: `${order}/returns`, "&": `${order}/confirm`, "@": read }
      const expected = yield* answers(orders.url, known, index)
      const pot = "/clay-pots/a"
      const found = yield* answers(pots, { $: `${pot}/fill-up`, "&": `${pot}/break`, "@": pot }, index)
      // The commands have other fields, which the documents name.
      if (what === "an unknown member") {
        assert.deepInclude(found.problem.errors, { path: "surprise", message: "is unknown here" })
        assert.deepInclude(found.problem.errors, { path: "coins", message: "is missing" })
      }
      const general = ({ problem, ...others }: typeof found) =>
        what === "an unknown member" ? { type: problem.type, ...others } : { problem, ...others }
      assert.deepStrictEqual(general(found), general(expected), what)
      assert.isBelow(found.status, 500)
    }
  }).pipe(Effect.provide(inMemory), Effect.scoped)
)

describe("a definition that no API can be made of", () => {
  const { definition } = Pots
  const pots = (changes: object) => () =>
    AggregateApi.group(Aggregate.Service<Pots>()("pot", { ...definition, ...changes }))
  class Absent extends Schema.TaggedError<Absent>()("Overloaded", {}) {}
  class Titled extends Schema.TaggedError<Titled>()("Titled", { title: Schema.String }) {}

  it("is refused with a sentence", () => {
    assert.throws(pots({ command: Schema.Struct({ coins: Schema.Int }) }), /The command of pot is no tagged union/)
    assert.throws(pots({ command: Schema.TaggedUnion({ Get: {} }) }), /The command Get of pot has the name of a read/)
    assert.throws(pots({ rejection: Schema.TaggedStruct("No", {}) }), /The rejection No of pot is no error class/)
    assert.throws(pots({ rejection: Schema.String }), /rejection schema of pot is no error class/)
    assert.throws(pots({ rejection: Absent }), /would have the problem type of the kernel's Overloaded/)
    assert.throws(pots({ rejection: Titled }), /has the field title, which every problem document has/)
  })

  it("has its category's name for a path unless another one is given", () => {
    const { endpoints } = AggregateApi.group(Pots)
    assert.strictEqual(endpoints.fillUp.path, "/pots/:id/fill-up")
    assert.deepStrictEqual(Object.keys(HttpApi.make("a").add(AggregateApi.group(Pots)).groups), ["pot"])
  })
})

describe("the OpenAPI document of an aggregate", () => {
  const operations = operationsOf(OpenApi.fromApi(PotsApi))

  it("describes every parameter, header and answer", () => {
    assert.lengthOf(operations, 5)
    for (const [path, { operationId, parameters, responses, summary }] of operations) {
      assert.match(path, /^\/clay-pots\/\{id\}/)
      assert.isNotEmpty(summary)
      for (const { description, name } of parameters) assert.match(description ?? "", /\.|: /, `${operationId} ${name}`)
      for (const [status, { description, headers = {} }] of Object.entries(responses)) {
        assert.match(description, /\w\.$/, `${operationId} ${status}`)
        for (const [name, header] of Object.entries(headers)) assert.isNotEmpty(header.description, name)
      }
    }
    const take = operations.find(([, { operationId }]) => operationId === "pot.take")?.[1]
    assert.include(take?.responses[422]?.description, "Too few")
    assert.include(take?.responses[409]?.description, "Pot broken")
  })

  it("has an example of each body that the server takes", async () => {
    const examples = operations.flatMap(([path, { requestBody }]) =>
      Object.values(requestBody?.content ?? {}).map((content) => {
        // The type of the document does not list the examples of a body.
        const { made } = (content as unknown as { examples: Record<string, { value: object }> }).examples
        return [path.replace("{id}", "a"), made?.value] as const
      })
    )
    assert.deepStrictEqual(examples.map(([path]) => path).sort(), ["/clay-pots/a/fill-up", "/clay-pots/a/take"])
    const statuses = await Effect.runPromise(
      Effect.flatMap(url, (url) =>
        Effect.promise(async () => {
          const answers = examples.map(([path, body]) => call(url, "POST", path, { body }))
          return (await Promise.all(answers)).map(({ status }) => status)
        })
      ).pipe(Effect.provide(inMemory))
    )
    for (const status of statuses) assert.oneOf(status, [200, 422])
  })
})
