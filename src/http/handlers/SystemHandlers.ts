/** Answers for health checks, and explains problem types on both ports. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { RouteNotFound } from "../problems/HttpError.ts"
import { typeOf } from "../problems/Problem.ts"
import { Problems } from "../problems/Problems.ts"
import { reservedProblems } from "../problems/ReservedProblems.ts"
import { Readiness } from "./Readiness.ts"

const problems = [...Object.values({ ...Problems, ...AdminProblems }), ...reservedProblems]

/** The members are those of every error class with this slug. */
export const explain = Effect.fnUntraced(function* ({ params }: { readonly params: { readonly slug: string } }) {
  const [first, ...aliases] = problems.filter(({ slug }) => slug === params.slug)
  if (first === undefined) return yield* new RouteNotFound()
  const { remedy, slug, status, title, when } = first
  const members = new Set([first, ...aliases].flatMap((problem) => problem.members))
  return { type: typeOf(slug), title, status, when, remedy, members: [...members] }
})

/** Load balancers ask for this all the time, and it never changes. */
const live = Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "live" }))

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const readiness = yield* Readiness
    return handlers.handleAll({
      live: () => live,
      ready: () => Effect.as(readiness.check, { status: "ready" as const }),
      problem: explain
    })
  })
)
