/** Answers what admins ask about API keys. There are none where a program that embeds this API keeps none. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ApiKeys } from "../../identity/ApiKeys.ts"
import * as Scopes from "../api/Scopes.ts"
import { InvalidRequest, RouteNotFound } from "../problems/HttpError.ts"
import { AdminApi } from "./AdminApi.ts"

export const layer = HttpApiBuilder.group(
  AdminApi,
  "keys",
  Effect.fnUntraced(function* (handlers) {
    const keys = yield* ApiKeys
    const kept = keys === undefined ? Effect.fail(new RouteNotFound()) : Effect.succeed(keys)
    return handlers.handleAll({
      list: Effect.fnUntraced(function* () {
        return { data: yield* (yield* kept).list }
      }),
      create: Effect.fnUntraced(function* ({ payload: { expiresAt, name, scopes } }) {
        const mistake = Scopes.mistakeIn(scopes)
        if (mistake !== undefined) return yield* InvalidRequest.of("scopes", mistake)
        const ends = expiresAt === undefined ? undefined : new Date(expiresAt)
        if (ends !== undefined && ends.getTime() <= (yield* Clock.currentTimeMillis)) {
          return yield* InvalidRequest.of("expiresAt", "must be later than now")
        }
        const made = yield* (yield* kept).create({
          name,
          scopes,
          expiresAt: ends
        })
        return { ...made.shown, key: made.key }
      }),
      revoke: ({ params }) => Effect.flatMap(kept, (keys) => keys.revoke(params.id))
    })
  })
)
