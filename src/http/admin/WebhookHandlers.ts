/** Answers what operators ask about webhooks. */
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { type Webhook, Webhooks } from "../../webhooks/Webhooks.ts"
import { AdminApi } from "./AdminApi.ts"

const withSecret = ({ secret, webhook }: { readonly webhook: Webhook; readonly secret: string }) => ({
  ...webhook,
  secret
})

const list = <A, E>(data: Effect.Effect<A, E>) => Effect.map(data, (data) => ({ data }))

const defaultLimit = 20

export const layer = HttpApiBuilder.group(
  AdminApi,
  "webhooks",
  Effect.fnUntraced(function* (handlers) {
    const webhooks = yield* Webhooks
    return handlers.handleAll({
      list: () => list(webhooks.list),
      get: ({ params }) => webhooks.get(params.id),
      create: Effect.fnUntraced(function* ({ payload }) {
        const body = withSecret(yield* webhooks.create(payload))
        return HttpApiSchema.withHeaders({ body, headers: { location: `/admin/webhooks/${body.id}` } })
      }),
      change: ({ params, payload }) => webhooks.change(params.id, payload),
      remove: ({ params }) => webhooks.remove(params.id),
      rotateSecret: ({ params }) => Effect.map(webhooks.rotateSecret(params.id), withSecret),
      enable: ({ params }) => webhooks.enable(params.id),
      disable: ({ params }) => webhooks.disable(params.id),
      replay: ({ params, payload }) => webhooks.replay(params.id, payload.after),
      deliveries: ({ params, query: { before, limit = defaultLimit, state } }) =>
        list(
          webhooks.deliveries(params.id, {
            limit,
            ...(before === undefined ? {} : { before: BigInt(before) }),
            ...(state === undefined ? {} : { state })
          })
        ),
      redeliver: ({ params }) => webhooks.redeliver(params.id, params.eventId)
    })
  })
)
