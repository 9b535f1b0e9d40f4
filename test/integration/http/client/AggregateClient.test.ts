import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { createServer, type RequestListener } from "node:http"
import {
  brokenAt,
  inMemory,
  Notes,
  notesServer,
  PotBroken,
  PotId,
  Pots,
  server,
  TooFew,
  url
} from "../../../../harness/aggregates/Pots.ts"
import { freePort } from "../../../../harness/servers/FreePort.ts"
import type { AggregateService } from "../../../../src/aggregate/AggregateService.ts"
import * as CommandError from "../../../../src/aggregate/CommandErrors.ts"
import { Guarded } from "../../../../src/aggregate/idempotency/Guarded.ts"
import { InvalidRequest } from "../../../../src/aggregate/InvalidRequest.ts"
import { DatabaseUnavailable } from "../../../../src/database/DatabaseErrors.ts"
import { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../../../../src/eventstore/EventStoreErrors.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import * as AggregateClient from "../../../../src/http/client/AggregateClient.ts"

const [a, b] = [PotId.make("a"), PotId.make("b")]
const path = "/clay-pots"

type Service = Pots["Service"]

const remote = (options: AggregateClient.Options) =>
  Effect.map(Layer.build(Layer.fresh(AggregateClient.layer(Pots, { path, ...options }))), (context) =>
    Context.get(context, Pots)
  )

/** The service in the server's process, and the same one over HTTP. */
const both = Effect.gen(function* () {
  const context = yield* Layer.build(inMemory)
  const baseUrl = yield* Effect.provideContext(url, context)
  return { local: Context.get(context, Pots), client: yield* remote({ baseUrl }) }
})

/** A service whose every call fails with the error that it is given, asked over HTTP; counts how often it was called. */
const failing = Effect.gen(function* () {
  let calls = 0
  let error: Error = new Error("no error was given")
  const fail = Effect.suspend(() => {
    calls += 1
    return Effect.fail(error)
  })
  const stub = { send: () => fail, sendGuarded: () => fail, get: () => fail, events: () => Stream.fromEffect(fail) }
  // No service fails with every error on every call.
  const service = Layer.succeed(Pots, stub as unknown as Service)
  const baseUrl = yield* Effect.provideContext(url, yield* Layer.build(server(service)))
  return {
    client: yield* remote({ baseUrl, retries: 0 }),
    /** Sends requests again, once. */
    persistent: yield* remote({ baseUrl, retries: 1 }),
    failWith: (next: Error) => {
      calls = 0
      error = next
    },
    calls: () => calls
  }
})

const fill = (coins: number) => ({ _tag: "FillUp", coins }) as const

describe("the service of an aggregate elsewhere", () => {
  it.live("answers as the one in process does", () =>
    Effect.gen(function* () {
      const { client, local } = yield* both
      assert.deepStrictEqual(yield* client.get(a), yield* local.get(a))
      const filled = yield* client.send(a, fill(5), { idempotencyKey: 'a "key"', ifVersion: 0 })
      assert.deepStrictEqual(
        [filled.state, filled.version, filled.events, filled.replayed],
        [{ coins: 5, isBroken: false }, 1, [{ _tag: "Filled", coins: 5 }], false]
      )
      assert.deepStrictEqual(yield* client.get(a), yield* local.get(a))
      yield* client.send(a, { _tag: "Take", coins: 1, at: brokenAt })
      const again = { ...filled, replayed: true }
      assert.deepStrictEqual(yield* client.send(a, fill(5), { idempotencyKey: 'a "key"', ifVersion: 0 }), again)
      // A key of the server's process is the same key.
      assert.deepStrictEqual(yield* local.send(a, fill(5), { idempotencyKey: 'a "key"' }), again)
      const broken = yield* client.send(a, { _tag: "Break" })
      assert.deepStrictEqual([broken.state, broken.version], [{ coins: 0, isBroken: true }, 3])
      const events = (pots: Service, options?: { after: number }) => Stream.runCollect(pots.events(a, options))
      assert.deepStrictEqual(yield* events(client), yield* events(local))
      assert.lengthOf(yield* events(client, { after: 1 }), 2)
      assert.lengthOf(yield* Stream.runCollect(client.events(b)), 0)
    }).pipe(Effect.scoped)
  )

  it.live("reads more events than one answer has", () =>
    Effect.gen(function* () {
      const { client, local } = yield* both
      yield* Effect.forEach(Array.from({ length: 1_001 }), () => local.send(a, fill(1)), { concurrency: 64 })
      const versions = yield* client.events(a).pipe(
        Stream.map(({ version }) => version),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        versions,
        Array.from({ length: 1_001 }, (_, index) => index + 1)
      )
    }).pipe(Effect.scoped)
  )

  it.live("names each mistake as the one in process does, and sends nothing", () =>
    Effect.gen(function* () {
      const { client, local } = yield* both
      const wrong = JSON.parse('{ "_tag": "FillUp", "coins": 0, "extra": 1 }')
      const upper = JSON.parse('"UPPER"')
      const mistakes: ReadonlyArray<(pots: Service) => Effect.Effect<unknown, unknown>> = [
        (pots) => pots.send(a, wrong),
        (pots) => pots.send(upper, fill(1)),
        (pots) => pots.get(upper),
        (pots) => Stream.runDrain(pots.events(upper)),
        (pots) => pots.send(a, fill(1), { idempotencyKey: "" }),
        (pots) => pots.send(a, fill(1), { ifVersion: 7 }),
        (pots) => pots.send(a, { _tag: "Take", coins: 9 })
      ]
      for (const mistake of mistakes) {
        assert.deepStrictEqual(yield* Effect.flip(mistake(client)), yield* Effect.flip(mistake(local)))
      }
      assert.strictEqual((yield* local.get(a)).version, 0)
    }).pipe(Effect.scoped)
  )

  it.live("refuses guards, which it does not send", () =>
    Effect.gen(function* () {
      const { client } = yield* both
      const refusals = [
        client.send(a, fill(1), { guards: [Pots.guard(b, 0)] }),
        client.sendGuarded(a, Effect.succeed(Guarded.make(fill(1), [])))
      ]
      for (const refusal of refusals) {
        const error = yield* Effect.flip(refusal)
        assert.instanceOf(error, InvalidRequest)
        assert.include(error.message, "options.guards: can't be sent to a server")
      }
      assert.strictEqual((yield* client.get(a)).version, 0)
    }).pipe(Effect.scoped)
  )
})

const rejections = [
  new TooFew({ coins: 3 }),
  new PotBroken({ since: brokenAt }),
  new CommandError.VersionMismatch({ expected: 3, currentVersion: 4 }),
  new CommandError.CommandIdReused(),
  new CommandError.CommandInProgress({ retryAfter: 2 }),
  new ConcurrencyConflict({ streamId: StreamId.make("pot", "a"), currentVersion: 7 }),
  InvalidRequest.of("coins", "is wrong")
]
const unavailable = [
  new Overloaded({ what: "the queue", retryAfter: 1 }),
  new DatabaseUnavailable({ retryAfter: 2, isBusy: true }),
  new CommandError.Draining({ retryAfter: 1 }),
  new CommandError.AggregateSuspended({ retryAfter: 1, unknownEvent: "Cracked" }),
  new OutcomeUnknown({ retryAfter: 1 })
]

it.live("takes any id that can be stored and sent, and names what is wrong with another one", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(notesServer)
    const baseUrl = yield* Effect.provideContext(url, context)
    const client = Context.get(yield* Layer.build(AggregateClient.layer(Notes, { baseUrl })), Notes)
    const local = Context.get(context, Notes)
    for (const id of ["a b", "a/b", "ä", "a%2Fb", "a?b#c;d", "events", "x".repeat(200)]) {
      yield* client.send(id, { _tag: "Write", text: id })
      assert.deepStrictEqual(yield* client.get(id), yield* local.get(id))
      const [stored] = yield* Stream.runCollect(client.events(id))
      assert.strictEqual(stored?.event.text, id)
    }
    for (const id of ["", "x".repeat(201), "a\nb", "\ud800"]) {
      const calls = (notes: Notes["Service"]) => [notes.get(id), Stream.runDrain(notes.events(id))]
      for (const call of [...calls(local), ...calls(client)]) {
        assert.include((yield* Effect.flip(call)).message, "id: Expected an id of 1 to 200 characters in one line")
      }
    }
    for (const id of [".", ".."]) assert.include((yield* Effect.flip(client.get(id))).message, "id: can't be sent")
    const answer = yield* Effect.promise(() => fetch(`${baseUrl}/notes/${"x".repeat(201)}`))
    assert.strictEqual(answer.status, 400)
  }).pipe(Effect.scoped)
)

it.live("every error of a service elsewhere comes back as it is", () =>
  Effect.gen(function* () {
    const { client, failWith } = yield* failing
    for (const error of [...rejections, ...unavailable]) {
      failWith(error)
      assert.deepStrictEqual(yield* Effect.flip(client.send(a, fill(1))), error)
    }
    for (const error of unavailable) {
      failWith(error)
      assert.deepStrictEqual(yield* Effect.flip(client.get(a)), error)
      assert.deepStrictEqual(yield* Effect.flip(Stream.runDrain(client.events(a))), error)
    }
  }).pipe(Effect.scoped)
)

it.live("a request is sent again if that is safe and the server does not ask for a long wait", () =>
  Effect.gen(function* () {
    const { calls, failWith, persistent } = yield* failing
    const callsOf = (retryAfter: number, request: Effect.Effect<unknown, unknown>) => {
      failWith(new CommandError.Draining({ retryAfter }))
      return Effect.map(Effect.flip(request), calls)
    }
    const unkeyed = persistent.send(a, fill(1))
    const keyed = persistent.send(a, fill(1), { idempotencyKey: "k" })
    for (const [request, soon] of [
      [unkeyed, 1],
      [keyed, 2],
      [persistent.get(a), 2]
    ] as const) {
      assert.strictEqual(yield* callsOf(0.001, request), soon)
      assert.strictEqual(yield* callsOf(60, request), 1)
    }
  }).pipe(Effect.scoped)
)

/** Serves HTTP with a listener on a free port, and returns its URL. */
const listening = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
    })
  )

describe("what happens to a command is unknown", () => {
  const tags = Effect.fnUntraced(function* (
    client: AggregateService<typeof a, unknown, ReturnType<typeof fill>, unknown, Error>
  ) {
    const command = yield* Effect.flip(client.send(a, fill(1)))
    const read = yield* Effect.flip(client.get(a))
    return [command, read].map((error) => ("_tag" in error ? error._tag : error.name))
  })
  const unknown = ["OutcomeUnknown", "ServerUnreachable"]

  it.live("if no answer comes in time", () =>
    Effect.gen(function* () {
      const baseUrl = yield* listening(() => {})
      assert.deepStrictEqual(yield* tags(yield* remote({ baseUrl, retries: 0, timeout: 200 })), unknown)
    }).pipe(Effect.scoped)
  )
  it.live("if the connection breaks", () =>
    Effect.gen(function* () {
      const baseUrl = yield* listening((_, answer) => answer.destroy())
      assert.deepStrictEqual(yield* tags(yield* remote({ baseUrl, retries: 0 })), unknown)
    }).pipe(Effect.scoped)
  )
  it.live("if the answer can't be read", () =>
    Effect.gen(function* () {
      const baseUrl = yield* listening((incoming, answer) => {
        const headers = { "content-type": "application/json", etag: '"1"', "consistency-token": "1.a" }
        incoming.resume().on("end", () => answer.writeHead(200, headers).end('{"version":"one"}'))
      })
      assert.deepStrictEqual(yield* tags(yield* remote({ baseUrl, retries: 0 })), unknown)
    }).pipe(Effect.scoped)
  )
  it.live("but not if nobody listens, or at another path", () =>
    Effect.gen(function* () {
      const closed = `http://127.0.0.1:${yield* Effect.promise(freePort)}`
      const none = ["ServerUnreachable", "ServerUnreachable"]
      assert.deepStrictEqual(yield* tags(yield* remote({ baseUrl: closed, retries: 0 })), none)
      const baseUrl = yield* Effect.provideContext(url, yield* Layer.build(inMemory))
      const elsewhere = yield* remote({ baseUrl, path: "/steel-pots", retries: 0 })
      assert.deepStrictEqual(yield* tags(elsewhere), none)
      assert.include((yield* Effect.flip(elsewhere.get(a))).message, "it answered 404 as this API does not")
    }).pipe(Effect.scoped)
  )
})

it.live("an event that only a newer program knows suspends the reading", () =>
  Effect.gen(function* () {
    const baseUrl = yield* listening((_, answer) => {
      const event = {
        specversion: "1.0",
        id: "0199aa5e-8f01-7b32-8c4d-6e5f7a8b9c0d",
        source: "/pots",
        type: "pot.filled.v2",
        subject: "a",
        time: "2026-11-21T23:55:00.123Z",
        datacontenttype: "application/json",
        sequence: "00000000000000000001",
        partitionkey: "a",
        streamversion: 1,
        correlationid: "0199aa5e-8f01-7b32-8c4d-6e5f7a8b9c0d",
        causationid: "0199aa5e-8f01-7b32-8c4d-6e5f7a8b9c0d",
        data: {}
      }
      answer.writeHead(200, { "content-type": "application/cloudevents-batch+json" }).end(JSON.stringify([event]))
    })
    const client = yield* remote({ baseUrl })
    const error = yield* Effect.flip(Stream.runDrain(client.events(a)))
    assert.include(error, { _tag: "AggregateSuspended", unknownEvent: "pot.filled.v2" })
  }).pipe(Effect.scoped)
)
