/**
 * Runs the subscription of each enabled endpoint in this process, unless another one does: looks at the list of endpoints
 * again and again, and starts and stops what it says. So a process learns of what was changed by another one.
 */
import { Duration, Effect, Exit, Layer, Queue, Scope } from "effect"
import { RunsProjections } from "../projection/ProjectionHost.ts"
import * as Subscriptions from "../projection/Subscriptions.ts"
import { supervise } from "../supervision/Supervisor.ts"
import { withinSeconds } from "../database/SqlFailure.ts"
import * as Deliveries from "./Deliveries.ts"
import { WebhookOptions } from "./WebhookOptions.ts"
import { type StoredEndpoint, subscriptionOf, WebhookStore } from "./WebhookStore.ts"

const poll = "1 second"
/** However long a process is held up, by then it has stopped what was deleted. */
const forgetAfter = Duration.minutes(5)

interface Running {
  endpoint: StoredEndpoint
  readonly scope: Scope.Closeable
}

const layerOf = (running: Running, changed: Effect.Effect<void>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { id, start } = running.endpoint
      const { batch, categories } = yield* WebhookOptions
      const { begin, enqueue, run } = yield* Deliveries.make(() => running.endpoint, changed)
      return Subscriptions.make(subscriptionOf(id), {
        from: categories,
        start,
        batch,
        // It waits for room in the queue, however long the receiver is away.
        timeout: Infinity,
        isShared: true,
        begin,
        beside: run,
        handle: enqueue
      })
    })
  )

/**
 * Starts what runs the endpoints, until the scope closes, unless `RunsProjections` is false; gives an effect that makes it
 * look at the list at once.
 */
export const start = Effect.gen(function* () {
  if (!(yield* RunsProjections)) return Effect.void
  const store = yield* WebhookStore
  const context = yield* Effect.context<Layer.Services<ReturnType<typeof layerOf>>>()
  const whole = yield* Effect.scope
  const wake = yield* Queue.sliding<void>(1)
  const changed = Effect.asVoid(Queue.offer(wake, undefined))
  const running = new Map<string, Running>()

  const stop = (id: string, { scope }: Running) =>
    Effect.andThen(
      Effect.sync(() => running.delete(id)),
      Scope.close(scope, Exit.void)
    )

  const startOne = Effect.fnUntraced(function* (endpoint: StoredEndpoint) {
    const one: Running = { endpoint, scope: yield* Scope.fork(whole) }
    running.set(endpoint.id, one)
    yield* Layer.buildWithScope(layerOf(one, changed), one.scope).pipe(
      Effect.provide(context),
      // The log is an older copy, which doesn't know where the endpoint begins.
      Effect.catchTag("ProjectionStopped", ({ message }) => store.disable(endpoint.id, message)),
      Effect.onError(() => stop(endpoint.id, one))
    )
  })

  const look = Effect.gen(function* () {
    const enabled = (yield* withinSeconds(6)(store.endpoints)).filter(({ isEnabled }) => isEnabled)
    const ids = new Set(enabled.map(({ id }) => id))
    for (const [id, one] of running) if (!ids.has(id)) yield* stop(id, one)
    for (const endpoint of enabled) {
      const known = running.get(endpoint.id)
      if (known === undefined) yield* startOne(endpoint)
      else known.endpoint = endpoint
    }
  })

  const follow = Effect.andThen(look, Effect.raceFirst(Queue.take(wake), Effect.sleep(poll)))
  const forget = Effect.andThen(withinSeconds(6)(store.forget(forgetAfter)), Effect.sleep("1 minute"))
  yield* supervise("webhooks", Effect.raceFirst(Effect.forever(follow), Effect.forever(forget)))
  return changed
})
