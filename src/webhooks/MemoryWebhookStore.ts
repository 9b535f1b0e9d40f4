/** Keeps endpoints and deliveries in memory, by the same rules as `SqlWebhookStore`; nothing survives the process. */
import { Clock, DateTime, Duration, Effect, Layer, Struct } from "effect"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import { type Delivery, type DeliveryState, type StoredEndpoint, WebhookStore } from "./WebhookStore.ts"

interface EndpointRow extends Omit<StoredEndpoint, "pausedFor" | "failingSince" | "previousUntil" | "previousSecret"> {
  readonly failingSince?: number | undefined
  readonly notBefore?: number | undefined
  readonly previous?: { readonly secret: string; readonly until: number }
}

interface DeliveryRow {
  readonly event: RecordedEvent
  readonly state: DeliveryState
  readonly attempts: number
  readonly nextAt: number
  readonly firstFailedAt?: number
  readonly attemptedAt?: number
  readonly status?: number
  readonly problem?: string
}

const text = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))

const isPending = ({ state }: DeliveryRow) => state === "pending"

const toDelivery = ({ attemptedAt, attempts, event, nextAt, problem, state, status }: DeliveryRow): Delivery => ({
  position: event.position,
  eventId: event.eventId,
  streamId: event.streamId,
  version: event.version,
  type: PublishedEvent.fromRecorded(event).type,
  state,
  attempts,
  ...(attemptedAt === undefined ? {} : { attemptedAt: text(attemptedAt) }),
  ...(status === undefined ? {} : { status }),
  ...(problem === undefined ? {} : { problem }),
  ...(state === "pending" ? { nextAt: text(nextAt) } : {})
})

const toEndpoint = ({ failingSince, notBefore = 0, previous, ...row }: EndpointRow, now: number): StoredEndpoint => ({
  ...row,
  ...(failingSince === undefined ? {} : { failingSince: text(failingSince) }),
  ...(previous === undefined || previous.until <= now
    ? {}
    : { previousSecret: previous.secret, previousUntil: text(previous.until) }),
  pausedFor: Math.max(0, notBefore - now)
})

const make = Effect.map(Clock.Clock, (clock) => {
  const endpoints = new Map<string, EndpointRow>()
  const all = new Map<string, Map<bigint, DeliveryRow>>()
  const now = () => clock.currentTimeMillisUnsafe()

  /** The deliveries to an endpoint, by position. */
  const rowsOf = (id: string) =>
    [...(all.get(id)?.values() ?? [])].sort((left, right) => Number(left.event.position - right.event.position))
  const put = (id: string, row: DeliveryRow) => void all.get(id)?.set(row.event.position, row)
  const again = ({ event }: DeliveryRow): DeliveryRow => ({ event, state: "pending", attempts: 0, nextAt: now() })

  const update = (id: string, change: (row: EndpointRow) => EndpointRow) =>
    Effect.sync(() => {
      const row = endpoints.get(id)
      if (row === undefined) return false
      endpoints.set(id, { ...change(row), changedAt: text(now()) })
      return true
    })

  return WebhookStore.of({
    endpoints: Effect.sync(() => [...endpoints.values()].map((row) => toEndpoint(row, now()))),
    backlogs: Effect.sync(() =>
      [...endpoints.keys()].map((id) => {
        const pending = rowsOf(id).filter(isPending)
        const oldest = pending[0] && Math.max(0, now() - Date.parse(pending[0].event.recordedAt)) / 1000
        return { id, pending: pending.length, oldest: oldest ?? 0 }
      })
    ),
    create: (endpoint) =>
      Effect.sync(() => {
        endpoints.set(endpoint.id, { ...endpoint, isEnabled: true, createdAt: text(now()), changedAt: text(now()) })
        all.set(endpoint.id, new Map())
      }),
    change: (id, changes) => update(id, (row) => ({ ...row, ...changes })),
    rotate: (id, secret, overlap) =>
      update(id, (row) => ({
        ...row,
        secret,
        previous: { secret: row.secret, until: now() + Duration.toMillis(overlap) }
      })),
    enable: (id) =>
      Effect.suspend(() => {
        for (const row of rowsOf(id).filter(isPending)) put(id, again(row))
        return update(id, (row) => ({
          ...Struct.omit(row, ["problem"]),
          isEnabled: true,
          failingSince: undefined,
          notBefore: undefined
        }))
      }),
    disable: (id, problem) => update(id, (row) => ({ ...row, isEnabled: false, problem })),
    remove: (id) =>
      Effect.sync(() => {
        all.delete(id)
        return endpoints.delete(id)
      }),
    forget: () => Effect.void,

    enqueue: (id, events) =>
      Effect.sync(() => {
        for (const event of events) {
          const known = all.get(id)?.get(event.position)
          if (known === undefined || !isPending(known)) put(id, { event, state: "pending", attempts: 0, nextAt: now() })
        }
      }),
    waiting: (id, before, most) =>
      Effect.sync(() =>
        Math.min(most, rowsOf(id).filter((row) => isPending(row) && row.event.position < before).length)
      ),
    due: (id, upTo, except, limit, anyway) =>
      Effect.sync(() => {
        const heads = new Map<string, DeliveryRow>()
        for (const row of rowsOf(id)) {
          const { position, streamId } = row.event
          if (isPending(row) && position <= upTo && !except.includes(streamId) && !heads.has(streamId)) {
            heads.set(streamId, row)
          }
        }
        const isDue = ({ nextAt }: DeliveryRow) => anyway || nextAt <= now()
        const rank = ({ attemptedAt = 0, attempts }: DeliveryRow) => (anyway ? attemptedAt : Number(attempts > 0))
        const ready = [...heads.values()].filter(isDue).sort((left, right) => rank(left) - rank(right))
        const later = [...heads.values()].filter((row) => !isDue(row)).map(({ nextAt }) => nextAt - now())
        return { ready: ready.slice(0, limit), ...(later.length === 0 ? {} : { nextIn: Math.min(...later) }) }
      }),
    record: (id, position, attempt) =>
      Effect.sync(() => {
        const [endpoint, row] = [endpoints.get(id), all.get(id)?.get(position)]
        if (endpoint === undefined || row === undefined || !isPending(row)) return undefined
        const tried = { ...row, attempts: row.attempts + 1, attemptedAt: now() }
        if (attempt.isDelivered) {
          endpoints.set(id, { ...endpoint, failingSince: undefined })
          put(id, { ...Struct.omit(tried, ["problem"]), state: "delivered", status: attempt.status })
          return { state: "delivered", failingFor: 0 } as const
        }
        const { pause, problem, retryFor, status } = attempt
        const failingSince = endpoint.failingSince ?? now()
        endpoints.set(id, {
          ...endpoint,
          failingSince,
          ...(pause === undefined ? {} : { notBefore: now() + Duration.toMillis(pause) })
        })
        const since = row.firstFailedAt
        const isOver = since !== undefined && since < now() - Duration.toMillis(retryFor) && since < failingSince
        const state = isOver ? ("failed" as const) : ("pending" as const)
        put(id, {
          ...Struct.omit(tried, ["status"]),
          state,
          problem,
          nextAt: now() + Duration.toMillis(attempt.again),
          firstFailedAt: since ?? now(),
          ...(status === undefined ? {} : { status })
        })
        return { state, failingFor: now() - failingSince }
      }),
    hurry: (id) =>
      Effect.sync(() => {
        for (const row of rowsOf(id).filter(isPending)) put(id, { ...row, nextAt: Math.min(row.nextAt, now()) })
      }),
    prune: (id, age, most) =>
      Effect.sync(() => {
        const rows = rowsOf(id)
        const isOld = ({ attemptedAt = Infinity }: DeliveryRow) => attemptedAt < now() - Duration.toMillis(age)
        rows.forEach((row, index) => {
          if (!isPending(row) && (isOld(row) || index < rows.length - most)) all.get(id)?.delete(row.event.position)
        })
      }),

    deliveries: (id, { before, limit, state }) =>
      Effect.sync(() =>
        rowsOf(id)
          .filter(
            (row) =>
              (state === undefined || row.state === state) && (before === undefined || row.event.position < before)
          )
          .reverse()
          .slice(0, limit)
          .map(toDelivery)
      ),
    redeliver: (id, eventId) =>
      Effect.sync(() => {
        const row = rowsOf(id).find(({ event }) => event.eventId === eventId)
        if (row === undefined) return undefined
        put(id, again(row))
        return toDelivery(again(row))
      })
  })
})

export const layer = Layer.effect(WebhookStore, make)
