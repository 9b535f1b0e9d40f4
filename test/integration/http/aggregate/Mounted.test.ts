import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { HttpRouter } from "effect/http"
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSecurity
} from "effect/http-api"
import { createServer } from "node:http"
import { PotId, Pots, url } from "../../../../harness/aggregates/Pots.ts"
import { call, slug } from "../../../../harness/clients/HttpClient.ts"
import { patientLimits } from "../../../../harness/servers/ApiServer.ts"
import * as AggregateApi from "../../../../src/http/aggregate/AggregateApi.ts"
import * as AggregateHandlers from "../../../../src/http/aggregate/AggregateHandlers.ts"
import * as AggregateClient from "../../../../src/http/client/AggregateClient.ts"
import { Caller } from "../../../../src/http/handlers/Caller.ts"
import { HttpLimits } from "../../../../src/http/listener/HttpLimits.ts"
import * as EventSourcing from "../../../../src/kernel/EventSourcing.ts"

/** The host's own way to know its callers. */
class Stranger extends Schema.TaggedError<Stranger>()("Stranger", {}, { httpApiStatus: 401 }) {}
class Authorization extends HttpApiMiddleware.Service<Authorization>()("host/Authorization", {
  security: { bearer: HttpApiSecurity.bearer },
  error: Stranger
}) {}

class HostApi extends HttpApi.make("host")
  .add(
    HttpApiGroup.make("own").add(HttpApiEndpoint.get("hello", "/hello", { success: Schema.String, error: Stranger }))
  )
  .add(AggregateApi.group(Pots).middleware(Authorization))
  .prefix("/api/v1") {}

const authorization = Layer.succeed(Authorization, {
  bearer: (httpEffect, { credential }) => {
    const actor = Redacted.value(credential)
    return actor === "nobody" ? Effect.fail(new Stranger()) : Effect.provideService(httpEffect, Caller, { actor })
  }
})

const own = HttpApiBuilder.group(HostApi, "own", (handlers) =>
  handlers.handle("hello", () => Effect.fail(new Stranger()))
)

const host = <E, R>(pots: Layer.Layer<Pots, E, R>, limits: Partial<HttpLimits> = {}) =>
  HttpRouter.serve(
    HttpApiBuilder.layer(HostApi).pipe(
      Layer.provide([own, AggregateHandlers.layer(HostApi, Pots).pipe(Layer.provide(authorization))])
    ),
    { disableLogger: true }
  ).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(pots),
    Layer.provide(Layer.succeed(HttpLimits, { ...patientLimits, ...limits })),
    Layer.fresh
  )

const inMemory = host(Pots.layer.pipe(Layer.provide(EventSourcing.layerMemory)))

const caller = Effect.map(
  url,
  (url) =>
    (method: string, path: string, as = "ada", body?: unknown, headers = {}) =>
      Effect.promise(() =>
        call(url, method, `/api/v1${path}`, { body, headers: { authorization: `Bearer ${as}`, ...headers } })
      )
)

it.live("a host mounts the API under a prefix, says who calls, and keeps its own answers", () =>
  Effect.gen(function* () {
    const send = yield* caller
    const id = "0199aa5e-8f00-7c21-9d3a-5b1f0c2d4e6f"
    const filled = yield* send("POST", "/pots/a/fill-up", "ada", { coins: 5 }, { "x-request-id": id })
    assert.deepStrictEqual([filled.status, filled.headers.get("x-request-id")], [200, id])
    const events = yield* send("GET", "/pots/a/events?limit=1")
    assert.strictEqual(events.body[0].actor, "ada")
    assert.strictEqual(events.headers.get("link"), `</api/v1/pots/a/events?limit=1&after=1>; rel="next"`)
    const pots = yield* Pots
    const [stored] = yield* Stream.runCollect(pots.events(PotId.make("a")))
    assert.deepInclude(stored?.metadata, { actor: "ada", correlationId: id })

    const refused = yield* send("POST", "/pots/a/take", "ada", { coins: 6 }, { "x-request-id": id })
    assert.deepInclude(refused.body, { type: "/problems/too-few", coins: 5, instance: `urn:uuid:${id}` })
    assert.strictEqual(refused.headers.get("content-type"), "application/problem+json")
    const wrong = yield* send("POST", "/pots/a/take", "ada", { coins: "6" })
    assert.deepStrictEqual([wrong.status, slug(wrong), wrong.body.errors[0].path], [400, "invalid-request", "coins"])
    assert.match(wrong.body.instance, /^urn:uuid:/)

    const stranger = yield* send("POST", "/pots/a/take", "nobody", { coins: 1 })
    assert.deepStrictEqual([stranger.status, stranger.body], [401, { _tag: "Stranger" }])
    const hello = yield* send("GET", "/hello")
    assert.deepStrictEqual(
      [hello.status, hello.body, hello.headers.get("x-request-id")],
      [401, { _tag: "Stranger" }, null]
    )
  }).pipe(Effect.provide(inMemory))
)

it.live("one caller's key is not another one's", () =>
  Effect.gen(function* () {
    const send = yield* caller
    const fill = (as: string) => send("POST", "/pots/a/fill-up", as, { coins: 5 }, { "idempotency-key": "k" })
    assert.strictEqual((yield* fill("ada")).body.version, 1)
    assert.strictEqual((yield* fill("bob")).body.version, 2)
    assert.strictEqual((yield* fill("ada")).headers.get("idempotent-replayed"), "true")
  }).pipe(Effect.provide(inMemory))
)

it.live("the remote service finds the API under the host's prefix", () =>
  Effect.gen(function* () {
    const open = HttpApi.make("open").add(AggregateApi.group(Pots)).prefix("/api/v1")
    const served = HttpRouter.serve(
      HttpApiBuilder.layer(open).pipe(Layer.provide(AggregateHandlers.layer(open, Pots))),
      {
        disableLogger: true
      }
    ).pipe(
      Layer.provide(Pots.layer),
      Layer.provide(EventSourcing.layerMemory),
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
      Layer.fresh
    )
    const baseUrl = `${yield* Effect.provideContext(url, yield* Layer.build(served))}/api/v1`
    const pots = Context.get(yield* Layer.build(AggregateClient.layer(Pots, { baseUrl })), Pots)
    assert.strictEqual((yield* pots.send(PotId.make("a"), { _tag: "FillUp", coins: 2 })).state.coins, 2)
    assert.strictEqual((yield* pots.get(PotId.make("a"))).version, 1)
  }).pipe(Effect.scoped)
)

it.live("what takes too long ends with a problem document, and so does a defect", () =>
  Effect.gen(function* () {
    const never = Deferred.makeUnsafe<never>()
    const stub = {
      send: () => Deferred.await(never),
      get: () => Effect.die(new Error("secret")),
      events: () => Stream.fromEffect(Deferred.await(never))
    }
    const service = Layer.succeed(Pots, stub as unknown as Pots["Service"])
    const context = yield* Layer.build(host(service, { request: Duration.millis(50) }))
    const send = yield* Effect.provideContext(caller, context)
    const command = yield* send("POST", "/pots/a/fill-up", "ada", { coins: 1 })
    assert.deepStrictEqual(
      [command.status, slug(command), command.headers.get("retry-after")],
      [503, "outcome-unknown", "1"]
    )
    const query = yield* send("GET", "/pots/a/events")
    assert.deepStrictEqual([query.status, slug(query)], [503, "overloaded"])
    const defect = yield* send("GET", "/pots/a")
    assert.deepStrictEqual([defect.status, slug(defect)], [500, "internal"])
    assert.notInclude(defect.text, "secret")
  }).pipe(Effect.scoped)
)
