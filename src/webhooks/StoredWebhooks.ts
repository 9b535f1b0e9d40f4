/** Implements `Webhooks` over the store, and runs what delivers. `layer` and `layerMemory` wire all of it. */
import { Effect, Layer, Struct } from "effect"
import { changeOrUnavailable, changeWithinSeconds, orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import * as UuidV7 from "../eventstore/UuidV7.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import { ProjectionStore } from "../projection/store/ProjectionStore.ts"
import * as EndpointRunners from "./EndpointRunners.ts"
import * as MemoryWebhookStore from "./MemoryWebhookStore.ts"
import { AddressRefused, hostOf, make as makeAddresses, Resolver } from "./PublicAddresses.ts"
import * as Signatures from "./Signatures.ts"
import * as SqlWebhookStore from "./SqlWebhookStore.ts"
import { TooManyWebhooks, UnknownDelivery, UnknownWebhook, WebhookUrlRefused } from "./WebhookErrors.ts"
import { WebhookOptions } from "./WebhookOptions.ts"
import { type Webhook, Webhooks } from "./Webhooks.ts"
import { type StoredEndpoint, subscriptionOf, WebhookStore } from "./WebhookStore.ts"

const read = <A, E, R>(self: Effect.Effect<A, E, R>) => self.pipe(orUnavailable, withinSeconds(6))
const write = <A, E, R>(self: Effect.Effect<A, E, R>) => self.pipe(changeOrUnavailable, changeWithinSeconds(6))

const internals = ["pausedFor", "previousSecret", "secret", "start"] as const

const make = Effect.gen(function* () {
  const store = yield* WebhookStore
  const projections = yield* ProjectionStore
  const log = yield* EventStore
  const options = yield* WebhookOptions
  const addresses = makeAddresses(options.allowedNetworks, {
    allowHttp: options.allowHttp,
    resolver: yield* Resolver
  })
  const changed = yield* EndpointRunners.start

  /** Refuses what can't be called. A name that has no address now may have one later. */
  const checkUrl = Effect.fnUntraced(function* (url: string) {
    const problem = addresses.problemOfUrl(url)
    if (problem !== undefined) return yield* new WebhookUrlRefused({ url, problem })
    yield* Effect.tryPromise({
      try: () => addresses.resolve(hostOf(new URL(url))),
      catch: (error) =>
        error instanceof AddressRefused ? new WebhookUrlRefused({ url, problem: error.problem }) : undefined
    }).pipe(Effect.catch((error) => (error === undefined ? Effect.void : Effect.fail(error))))
  })

  const toWebhooks = Effect.fnUntraced(function* (endpoints: ReadonlyArray<StoredEndpoint>) {
    const rows = yield* read(projections.rows(endpoints.map(({ id }) => ({ name: subscriptionOf(id), version: 1 }))))
    const backlogs = yield* read(store.backlogs)
    return endpoints.map((endpoint): Webhook => {
      const row = rows.find(({ name }) => name === subscriptionOf(endpoint.id))
      const { oldest = 0, pending = 0 } = backlogs.find(({ id }) => id === endpoint.id) ?? {}
      const { behind = 0, lag = 0, position = 0n } = row ?? {}
      const problem = endpoint.problem ?? row?.problem
      const shown = { ...Struct.omit(endpoint, internals), ...(problem === undefined ? {} : { problem }) }
      return { ...shown, position, behind, pending, lag: Math.max(oldest, lag) }
    })
  })

  const list = Effect.flatMap(read(store.endpoints), toWebhooks)

  const get = Effect.fnUntraced(function* (id: string) {
    const endpoint = (yield* read(store.endpoints)).find((endpoint) => endpoint.id === id)
    if (endpoint === undefined) return yield* new UnknownWebhook({ id })
    const [webhook] = yield* toWebhooks([endpoint])
    return webhook!
  })

  /** Changes an endpoint, has that noticed at once, and gives it as it is then. */
  const changing = Effect.fnUntraced(function* <E>(id: string, change: Effect.Effect<boolean, E>) {
    if (!(yield* change)) return yield* new UnknownWebhook({ id })
    yield* changed
    return yield* get(id)
  })

  const tokenNow = Effect.gen(function* () {
    const { logId, position } = yield* log.head
    return ConsistencyToken.format(logId, position, yield* ConsistencyToken.eventIdAt(log, position))
  })

  const checkToken = Effect.fnUntraced(function* (text: string) {
    const token = yield* Effect.fromResult(ConsistencyToken.parse(text))
    const { logId } = yield* log.head
    yield* ConsistencyToken.verify(log, logId, token)
  })

  return Webhooks.of({
    list,
    get,
    create: Effect.fn("Webhooks.create")(function* ({ description = "", start = "end", types = [], url }) {
      yield* checkUrl(url)
      if (start !== "start" && start !== "end") yield* checkToken(start)
      const { length } = yield* read(store.endpoints)
      if (length >= options.endpoints) return yield* new TooManyWebhooks({ limit: options.endpoints })
      const [id, secret] = [UuidV7.make(), Signatures.makeSecret()]
      const from = start === "end" ? yield* tokenNow : start
      yield* write(store.create({ id, url, types, description, start: from, secret }))
      yield* Effect.logInfo(`The webhook ${id} is made, for ${new URL(url).host}.`)
      yield* changed
      const webhook = yield* Effect.catchTag(get(id), "UnknownWebhook", Effect.die)
      return { webhook, secret }
    }),
    change: Effect.fn("Webhooks.change")(function* (id, changes) {
      if (changes.url !== undefined) yield* checkUrl(changes.url)
      return yield* changing(id, write(store.change(id, changes)))
    }),
    remove: Effect.fn("Webhooks.remove")(function* (id) {
      if (!(yield* write(store.remove(id)))) return yield* new UnknownWebhook({ id })
      yield* Effect.logInfo(`The webhook ${id} is deleted.`)
      yield* changed
    }),
    rotateSecret: Effect.fn("Webhooks.rotateSecret")(function* (id) {
      const secret = Signatures.makeSecret()
      return { webhook: yield* changing(id, write(store.rotate(id, secret, options.secretOverlap))), secret }
    }),
    enable: (id) => changing(id, write(store.enable(id))),
    disable: (id) => changing(id, write(store.disable(id, "An operator disabled it."))),
    deliveries: (id, filter) => Effect.andThen(get(id), read(store.deliveries(id, filter))),
    replay: Effect.fn("Webhooks.replay")(function* (id, after) {
      if (after !== "start") yield* checkToken(after)
      // One that never ran has no checkpoint yet, and begins there.
      const webhook = yield* changing(id, write(store.change(id, { start: after })))
      yield* write(projections.rewind(subscriptionOf(id), after))
      yield* Effect.logInfo(`The webhook ${id} goes on from ${after}.`)
      return { ...webhook, ...(yield* get(id)) }
    }),
    redeliver: Effect.fn("Webhooks.redeliver")(function* (id, eventId) {
      yield* get(id)
      const delivery = yield* write(store.redeliver(id, eventId))
      return delivery ?? (yield* new UnknownDelivery({ id, eventId }))
    })
  })
})

/** Delivers to endpoints that are kept in the database. */
export const layer = Layer.provide(Layer.effect(Webhooks, make), SqlWebhookStore.layer)

/** Does so for endpoints that are kept in memory. */
export const layerMemory = Layer.provide(Layer.effect(Webhooks, make), MemoryWebhookStore.layer)
