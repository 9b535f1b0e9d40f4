/**
 * Delivers what is due to one endpoint, for as long as this process runs its subscription, and says what follows: another
 * try, the end of the endpoint, or the next event of the order.
 *
 * Invariant: one request per order is under way at most, for the first of its events that is not delivered. So whatever
 * fails, is cut or is sent twice, the first occurrences of an order's events come in their order.
 */
import { Duration, Effect, FiberSet, Queue } from "effect"
import type { SqlError } from "effect/sql"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as PushMessage from "../http/wire/PushMessage.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import { ProjectionStore } from "../projection/store/ProjectionStore.ts"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import * as Metrics from "../telemetry/Metrics.ts"
import * as Backoff from "./Backoff.ts"
import { matches } from "./EventTypes.ts"
import { WebhookOptions } from "./WebhookOptions.ts"
import * as WebhookRequest from "./WebhookRequest.ts"
import { type Due, type StoredEndpoint, subscriptionOf, WebhookStore } from "./WebhookStore.ts"

/** Another process may have asked for something, so what is due is looked up after so many milliseconds anyway. */
const longestWait = 1_000
/** The checkpoint moves so soon behind what was added to the queue. */
const untilCheckpoint = 10
const pruneEvery = "1 minute"

/** `current` gives the endpoint as it was read last; `isDisabled` is told that it was disabled here. */
export const make = Effect.fnUntraced(function* (current: () => StoredEndpoint, isDisabled: Effect.Effect<void>) {
  const { id, pausedFor } = current()
  const store = yield* WebhookStore
  const { shared } = yield* ProjectionStore
  const log = yield* EventStore
  const options = yield* WebhookOptions
  const attempted = yield* Metrics.webhookAttempts
  for (const outcome of ["delivered", "failed", "given-up"]) attempted.prepare(id, outcome)
  const wake = yield* Queue.sliding<void>(1)
  const isFreed = yield* Queue.sliding<void>(1)
  /** The last event that was added to the queue in this attempt of the subscription is at this position. */
  let added = 0n

  const disable = Effect.fnUntraced(function* (problem: string) {
    if (!(yield* store.disable(id, problem))) return
    yield* Effect.logError(
      `The webhook ${id} is disabled: ${problem} Nothing is lost: POST /admin/webhooks/${id}/enable goes on where it stands.`
    )
    yield* isDisabled
  })

  /** Waits for room in the queue, then adds what the endpoint is to be told of. */
  const enqueue = Effect.fnUntraced(function* (events: readonly [RecordedEvent, ...ReadonlyArray<RecordedEvent>]) {
    const first = events[0].position
    while ((yield* store.waiting(id, first, options.queue)) >= options.queue) {
      yield* Effect.raceFirst(Queue.take(isFreed), Effect.sleep(longestWait))
    }
    const told = events.filter((event) => matches(current().types, PublishedEvent.fromRecorded(event).type))
    if (told.length === 0) return
    yield* store.enqueue(id, told)
    added = told.at(-1)!.position
    Queue.offerUnsafe(wake, undefined)
  })

  const run = Effect.gen(function* () {
    const send = yield* WebhookRequest.make
    const { logId } = yield* log.head
    const fibers = yield* FiberSet.make<void, SqlError.SqlError | DatabaseUnavailable>()
    const health = Backoff.makeHealth(options)
    const inFlight = new Set<string>()
    health.leaveAlone((yield* MonotonicClock.millis) + pausedFor)

    const request = (event: RecordedEvent) => {
      const { previousSecret, secret, url } = current()
      const after = ConsistencyToken.format(logId, event.position, event.eventId)
      const body = PushMessage.eventText(PublishedEvent.fromRecorded(event), after)
      const secrets = previousSecret === undefined ? [secret] : [secret, previousSecret]
      return send({ url, secrets, id: event.eventId, body })
    }

    const failed = Effect.fnUntraced(function* (
      { attempts, event }: Due,
      { isGone, problem, retryAfter = 0, status }: Extract<WebhookRequest.Answer, { isDelivered: false }>
    ) {
      const now = yield* MonotonicClock.millis
      const pause = yield* Backoff.pauseAfter(attempts + 1, options)
      const again = Duration.max(pause, Duration.seconds(retryAfter))
      yield* health.failed(event.streamId, now)
      health.leaveAlone(now + retryAfter * 1_000)
      const recorded = yield* store.record(id, event.position, {
        isDelivered: false,
        problem,
        again,
        retryFor: options.retryFor,
        ...(status === undefined ? {} : { status }),
        ...(retryAfter > 0 ? { pause: Duration.seconds(retryAfter) } : {})
      })
      if (recorded === undefined) return
      attempted(1, id, recorded.state === "failed" ? "given-up" : "failed")
      if (recorded.state === "failed") {
        yield* Effect.logError(
          `The webhook ${id} gave event ${event.eventId} of ${event.streamId} up after ${attempts + 1} attempts: ${problem}`
        )
      }
      if (isGone) return yield* disable("The receiver answered 410 Gone: it wants no more events.")
      if (recorded.failingFor <= Duration.toMillis(options.disableAfter)) return
      yield* disable(`Every delivery has failed for ${Duration.format(options.disableAfter)}. ${problem}`)
    })

    const deliver = Effect.fnUntraced(function* (due: Due) {
      const { position } = due.event
      const answer = yield* request(due.event)
      if (!answer.isDelivered) return yield* failed(due, answer)
      yield* store.record(id, position, answer)
      attempted(1, id, "delivered")
      if (health.delivered()) yield* store.hurry(id)
    })

    /** Starts what can be started now, and tells after how many milliseconds to look again, unless woken before. */
    const startDue = Effect.gen(function* () {
      const left = health.notBefore() - (yield* MonotonicClock.millis)
      if (left > 0) return left
      const isAway = health.isAway()
      const free = (isAway ? 1 : options.inFlight) - inFlight.size
      if (free <= 0) return longestWait
      const upTo = (yield* shared.stored({ name: subscriptionOf(id), slot: "live" }))?.position ?? 0n
      const { nextIn = longestWait, ready } = yield* store.due(id, upTo, [...inFlight], free, isAway)
      for (const due of ready) {
        const { streamId } = due.event
        inFlight.add(streamId)
        const ended = Effect.sync(() => {
          inFlight.delete(streamId)
          Queue.offerUnsafe(wake, undefined)
          Queue.offerUnsafe(isFreed, undefined)
        })
        yield* FiberSet.run(fibers, Effect.ensuring(deliver(due), ended))
      }
      return upTo < added ? untilCheckpoint : nextIn
    })
    const follow = Effect.gen(function* () {
      const wait = Math.min(longestWait, Math.max(1, yield* startDue))
      yield* Effect.raceFirst(Queue.take(wake), Effect.sleep(wait))
    })
    const prune = Effect.andThen(store.prune(id, options.retention, options.retained), Effect.sleep(pruneEvery))

    return yield* Effect.raceAllFirst([Effect.forever(follow), Effect.forever(prune), FiberSet.join(fibers)])
  }).pipe(Effect.scoped)

  return {
    begin: Effect.sync(() => {
      added = 0n
    }),
    enqueue,
    run
  }
})
