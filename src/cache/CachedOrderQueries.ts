/**
 * Answers reads of one order from a cache that many processes share, and asks the queries behind it for all else.
 *
 * Invariant: an answer is never older than its token, or than what this process has let out before. A value carries the
 * checkpoint of the snapshot it was read from. It stands for a later position only if this process, which follows the log, knows
 * that no event of the order has come since; and only if that log has the events by which both positions are checked. So
 * it does not matter what the cache has lost, kept or got late: whatever can't be shown to be right is read behind it.
 */
import { Effect, Layer, Option, Queue, Stream } from "effect"
import * as BatchedReads from "../database/BatchedReads.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import type { OrderId } from "../order/OrderId.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import { LetOut } from "../projection/view/LetOut.ts"
import type { Freshness } from "../projection/view/ViewQuery.ts"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import { supervise } from "../supervision/Supervisor.ts"
import * as Metrics from "../telemetry/Metrics.ts"
import { type FoundOrder, OrderQueries } from "../views/order/OrderQueries.ts"
import { OrderViewProjection } from "../views/order/OrderViewProjection.ts"
import * as StoredOrder from "../views/order/StoredOrder.ts"
import { WrittenOrders } from "../views/order/WrittenOrders.ts"
import * as CachedOrder from "./CachedOrder.ts"
import { type CachedValue, OrderCache } from "./OrderCache.ts"
import * as RecentChanges from "./RecentChanges.ts"

/** So many of the newest events are known, since the start, by what is checked of them; older values are read anew. */
const remembered = 100_000
/** So many values wait to be written at most; more are not cached. */
const waiting = 1_000
const together = 100

type Token = ConsistencyToken.ConsistencyToken

const later = (...positions: ReadonlyArray<bigint>) => positions.reduce((left, right) => (left > right ? left : right))

export const make = Effect.fnUntraced(function* (inner: OrderQueries["Service"], cache: OrderCache) {
  const tail = yield* LogTail
  const policies = yield* OrderPolicies
  const { logId } = yield* (yield* EventStore).head
  // Another log, and another shape of the documents, have values of their own.
  const keyOf = (orderId: string) => `${OrderViewProjection.name}:${logId}:${OrderViewProjection.version}:${orderId}`
  const changes = RecentChanges.make(remembered)
  /** The changes are of this log; there may be another one now. */
  let timeline: number | undefined
  const writes = yield* Queue.dropping<CachedValue>(waiting)
  const count = yield* Metrics.cacheReads
  for (const outcome of ["hit", "miss", "stale", "away", "blind"]) count.prepare(outcome)
  const letOut = yield* LetOut
  /** The view had set so many streams aside when it was read last. */
  let parked = 0
  const behindCache = <A extends { readonly freshness: Freshness }, E>(ask: Effect.Effect<A, E>) =>
    Effect.suspend(() => letOut.atLeast(letOut.position(), ask))

  const follow = Effect.gen(function* () {
    const head = yield* tail.position
    timeline = yield* tail.timeline
    // The event at the end is known from the start, so that what is read now can be a hit before more is written.
    yield* Stream.runForEach(tail.pages(head > 0n ? head - 1n : 0n), (page) =>
      Effect.map(MonotonicClock.millis, (now) => changes.add(page, now))
    )
  }).pipe(Effect.ensuring(Effect.sync(changes.clear)))
  yield* supervise("order-cache-changes", follow)

  /** Writes what the projection in this process has written, once it is committed: as it was behind the order's last event. */
  const fill = Effect.fnUntraced(function* (written: WrittenOrders) {
    const orders = yield* written.take
    yield* inner.awaitPosition(later(...orders.map(({ position }) => position)))
    const head = changes.last()
    const values = orders.flatMap(({ document, eventId, orderId, position, version }): ReadonlyArray<CachedValue> => {
      if (document === "") return []
      const token = ConsistencyToken.format(logId, position, eventId)
      return [{ key: keyOf(orderId), position, head, value: CachedOrder.write(token, version, document) }]
    })
    if (values.length > 0) yield* Effect.ignore(cache.write(values))
  })
  const written = yield* WrittenOrders
  if (written !== undefined) yield* supervise("order-cache-fill", Effect.forever(fill(written)))

  const writeSome = Effect.flatMap(Queue.takeBetween(writes, 1, together), cache.write)
  yield* supervise("order-cache-writes", Effect.forever(Effect.ignore(writeSome)))

  /** Concurrent reads share a look-up, but only one that began after all of them. */
  const lookUp = yield* BatchedReads.make((orderIds: ReadonlyArray<OrderId>) => cache.read(orderIds.map(keyOf)), {
    most: together,
    lanes: 2
  })

  const isKnown = (token: Token) => ConsistencyToken.isOf(token, logId, changes.eventIdAt(token.position))

  /** Makes an answer of a cached value; `undefined` if the value can't be shown to be right for the token. */
  const serve = (
    orderId: OrderId,
    value: string,
    token: Token | undefined,
    least: bigint,
    now: number
  ): FoundOrder | undefined => {
    const cached = CachedOrder.read(value)
    if (cached === undefined || !isKnown(cached.made) || (token !== undefined && !isKnown(token))) return undefined
    // An order that has changed is read in the view, which may have the change, whatever the token asks for.
    if (!changes.isUnchanged(orderId, cached.made.position, changes.last())) return undefined
    const position = later(cached.made.position, token?.position ?? 0n, least)
    const eventId = changes.eventIdAt(position)
    const { text, version } = cached
    const order = StoredOrder.fromRow({ orderId, version, text, state: null, updatedAt: null }, policies)
    if (order === undefined || eventId === undefined) return undefined
    const behind = Number(changes.last() - position)
    const lag = changes.ageOf(position + 1n, now) / 1000
    const freshness = { position, behind, lag, parked, token: ConsistencyToken.format(logId, position, eventId) }
    return { order, freshness, isCached: true }
  }

  /** A view that has set orders aside may be past an event without having it. */
  const keep = (orderId: OrderId, { freshness, order, parkedAt }: FoundOrder) => {
    if (order === undefined || parkedAt !== undefined || freshness.parked > 0) return
    const { behind, position, token } = freshness
    Queue.offerUnsafe(writes, {
      key: keyOf(orderId),
      position,
      head: position + BigInt(behind),
      value: CachedOrder.write(token, order.version, order.text)
    })
  }

  const get: OrderQueries["Service"]["get"] = Effect.fnUntraced(function* (orderId, token) {
    const told = letOut.position()
    const found = yield* Effect.option(lookUp(orderId))
    const value = Option.getOrUndefined(found)
    const isBlind = !(yield* tail.isFollowing) || (yield* tail.timeline) !== timeline
    const least = later(told, yield* inner.position)
    const now = yield* MonotonicClock.millis
    const served = value === undefined || isBlind ? undefined : serve(orderId, value, token, least, now)
    const unserved = value === undefined ? "miss" : isBlind ? "blind" : "stale"
    count(1, Option.isNone(found) ? "away" : served === undefined ? unserved : "hit")
    if (served !== undefined) {
      letOut.tell(served.freshness.position)
      return served
    }
    const answer = yield* letOut.atLeast(told, inner.get(orderId, token))
    parked = answer.freshness.parked
    if (Option.isSome(found)) keep(orderId, answer)
    return answer
  })

  return OrderQueries.of({
    get,
    list: (query, token) => behindCache(inner.list(query, token)),
    counts: (query, token) => behindCache(inner.counts(query, token)),
    awaitPosition: inner.awaitPosition,
    // A push lets the view be seen up to this position.
    position: Effect.tap(inner.position, (position) => Effect.sync(() => letOut.tell(position))),
    isLive: inner.isLive
  })
})

/** Puts the cache before these queries, if there is one. */
export const layer = <E, R>(queries: Layer.Layer<OrderQueries, E, R>) =>
  Layer.unwrap(
    Effect.map(OrderCache, (cache) =>
      cache === undefined
        ? queries
        : Layer.effect(
            OrderQueries,
            Effect.flatMap(OrderQueries, (inner) => make(inner, cache))
          ).pipe(Layer.provide([queries, LetOut.layer]))
    )
  )
