import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { RouteNotFound } from "../problems/HttpError.ts"
import { typeOf } from "../problems/Problem.ts"
import { meanings } from "../problems/ProblemMeaning.ts"
import { all, namesakes } from "../problems/ProblemTypes.ts"
import { Readiness } from "./Readiness.ts"
import type { ProblemType } from "../api/SystemApi.ts"

const membersOf = (slug: string) => [...all, ...namesakes].flatMap((one) => (one.slug === slug ? one.members : []))

const problems = new Map<string, typeof ProblemType.Type>(
  all.map(({ slug, status, title }) => [
    slug,
    { type: typeOf(slug), title, status, ...meanings[slug], members: membersOf(slug) }
  ])
)

export const explain = ({ params }: { readonly params: { readonly slug: string } }) =>
  Effect.fromNullishOr(problems.get(params.slug)).pipe(Effect.mapError(() => new RouteNotFound()))

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const readiness = yield* Readiness
    return handlers.handleAll({
      live: () => Effect.succeed({ status: "live" as const }),
      ready: () => Effect.as(readiness.check, { status: "ready" as const }),
      problem: explain
    })
  })
)
