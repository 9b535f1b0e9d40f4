/** What the guard leaves to others: limits of a caller, ends of streams, answers to what was done already, and hosts of one's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Stream } from "effect"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { onTestFinished } from "vitest"
import { placement } from "../../../harness/fixtures/Shop.ts"
import * as Tokens from "../../../harness/identity/Tokens.ts"
import { type Options, start, stub } from "../../../harness/servers/ApiServer.ts"
import { Identity, type IdentityService } from "../../../src/identity/Identity.ts"
import { IdentityUnavailable } from "../../../src/identity/IdentityErrors.ts"
import * as Server from "../../../src/http/listener/Server.ts"
import * as OpenStreams from "../../../src/http/push/OpenStreams.ts"
import { CustomerId } from "../../../src/order/OrderId.ts"

const ada = CustomerId.make("ada")

const started = async (options: Options) => {
  const server = await start(options)
  onTestFinished(() => server.stop())
  return server
}

describe("API4: one caller", () => {
  it("may have so many event streams of their own, and as many again once those have ended", async () => {
    const { get, url } = await started({ identity: Tokens.identity(), push: { connectionsOfCustomer: 1 } })
    const [adas, bobs] = [Tokens.bearer(await Tokens.customer("ada")), Tokens.bearer(await Tokens.customer("bob"))]
    const operator = Tokens.bearer(await Tokens.operator())
    for (const headers of [adas, bobs, operator, operator]) {
      const { body, status } = await fetch(`${url}/events`, { headers })
      onTestFinished(() => body?.cancel())
      assert.strictEqual(status, 200)
    }
    const refused = await get("/events", adas)
    assert.deepStrictEqual([refused.status, refused.body.limit], [429, "streams"])
    const { open } = OpenStreams.make({ connections: 10, connectionsOfCustomer: 1 })
    const twice = Effect.andThen(open("sse", ada), Effect.exit(open("websocket", ada)))
    for (const run of [1, 2]) assert.isTrue(Exit.isFailure(await Effect.runPromise(Effect.scoped(twice))), `run ${run}`)
  })
})

it("an event stream ends with its token although there is always more to send", async () => {
  const most = 200_000
  let sent = 0
  const push = { _tag: "Heartbeat", position: 1n, token: "1.000000000000" } as const
  const always = Stream.take(Stream.forever(Stream.sync(() => ((sent += 1), push))), most) as Stream.Stream<never>
  const orders = stub({ subscribe: () => Effect.succeed(always) })
  const { url } = await started({ orders, caller: { ended: Effect.void } })
  await (await fetch(`${url}/events`)).text()
  assert.isBelow(sent, most)
})

it("who was let in is not asked again for what was done meanwhile, nor who was refused", async () => {
  const { identify, ...others } = Tokens.identity()
  let asked = 0
  const once: typeof identify = (credential) =>
    Effect.suspend(() =>
      (asked += 1) === 1 ? identify(credential) : Effect.fail(new IdentityUnavailable({ retryAfter: 1 }))
    )
  const { get, send } = await started({ identity: { ...others, identify: once } })
  const operator = Tokens.bearer(await Tokens.operator())
  const rejected = await send("POST", "/orders", placement({ customerId: "nobody" }), operator)
  assert.notStrictEqual(rejected.body.type, "/problems/identity-unavailable")
  assert.deepStrictEqual([Math.floor(rejected.status / 100), asked], [4, 1])
  assert.deepStrictEqual([(await get("/orders", operator)).status, asked], [503, 2])
})

it("a customer without an actor acts as this customer, not as an operator", async () => {
  const seen: Array<string | undefined> = []
  const orders = stub({ place: (_, options) => Effect.suspend(() => (seen.push(options?.actor), Effect.die("seen"))) })
  const { send } = await started({ orders, caller: { owner: ada } })
  await send("POST", "/orders", placement({ customerId: "ada", shippingCost: undefined }))
  assert.deepStrictEqual(seen, ["customer:ada"])
})

it("an API of one's own does not start with Identity and an endpoint that nobody guards", async () => {
  const api = HttpApi.make("open").add(HttpApiGroup.make("doors").add(HttpApiEndpoint.get("open", "/open")))
  const doors = HttpApiBuilder.group(api, "doors", (handlers) => handlers.handle("open", () => Effect.void))
  const server = Layer.provide(Server.serve(api, { host: "127.0.0.1", port: 0 }), doors)
  const startWith = (identity: IdentityService | undefined) =>
    Effect.runPromise(Effect.exit(Effect.scoped(Layer.build(Layer.provide(server, Layer.succeed(Identity, identity))))))
  assert.isTrue(Exit.isSuccess(await startWith(undefined)))
  assert.match(String(await startWith(Tokens.identity())), /GET \/open does not declare who may send it/)
})
