/**
 * Lets a request through if `Identity` knows its caller and the endpoint is for their role, and a key's scope; provides
 * `Caller` to it. Without `Identity` every request passes, with the `Caller` that the host provides, if any.
 *
 * Every endpoint declares who may send to it: one that does not ends the start.
 */
import { Context, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import type { HttpApi, HttpApiGroup } from "effect/http-api"
import { type IdentityService, Identity, type Principal } from "../../identity/Identity.ts"
import { Forbidden, type Refusal } from "../../identity/IdentityErrors.ts"
import { CallerRate } from "../admission/RateLimits.ts"
import { Authorized } from "../api/Boundary.ts"
import * as AllowedRoles from "../api/AllowedRoles.ts"
import { Attempt } from "../handlers/Attempt.ts"
import { Caller } from "../handlers/Caller.ts"
import type { RateLimited } from "../problems/HttpError.ts"
import * as Credentials from "./Credentials.ts"

type Admit = (
  request: HttpServerRequest.HttpServerRequest,
  rule: AllowedRoles.Rule
) => Effect.Effect<Caller, Refusal | RateLimited>

/** An admin may do what an operator may. */
const hasRole = ({ roles }: AllowedRoles.Rule, { role }: Principal): boolean =>
  roles.some((allowed) => allowed === role || (allowed === "operator" && role === "admin"))

const refusalOf = (rule: AllowedRoles.Rule, principal: Principal): Forbidden | undefined => {
  const { roles, scope } = rule
  if (!hasRole(rule, principal)) return new Forbidden({ needs: `the role ${roles.join(" or ")}` })
  const { scopes } = principal
  if (scopes === undefined || AllowedRoles.grants(scopes, scope)) return undefined
  return new Forbidden({ needs: `the scope ${scope} of the key`, scope })
}

/** Callers of one principal are one object, which what is made for a caller can be kept with. */
const callers = new WeakMap<Principal, Caller>()

const callerOf = (identity: IdentityService, credential: string, principal: Principal): Caller => {
  const known = callers.get(principal)
  if (known !== undefined) return known
  const { actor, customerId: owner } = principal
  const caller = { actor, ended: identity.ended(credential, principal), ...(owner === undefined ? {} : { owner }) }
  callers.set(principal, caller)
  return caller
}

const admitBy =
  (identity: IdentityService): Admit =>
  (request, rule) =>
    Effect.gen(function* () {
      const credential = yield* Effect.fromResult(Credentials.of(request))
      const principal = yield* identity.identify(credential)
      const refusal = refusalOf(rule, principal)
      if (refusal !== undefined) return yield* refusal
      const count = yield* CallerRate
      yield* count(principal.actor)
      return callerOf(identity, credential, principal)
    })

/** Makes what admits callers of an API; `admit` is missing where nobody is asked who they are. */
export const make = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) =>
  Effect.map(Identity, (identity) => {
    const rules = AllowedRoles.rulesOf(api)
    const isOpen = ({ roles, scope }: AllowedRoles.Rule) =>
      roles.includes("anyone") || identity?.open.includes(scope) === true
    const admit = identity === undefined ? undefined : admitBy(identity)
    const ruleOf = (endpoint: Parameters<typeof AllowedRoles.nameOf>[0]): AllowedRoles.Rule => {
      const rule = rules.get(AllowedRoles.nameOf(endpoint))
      if (rule === undefined) throw new TypeError(`${AllowedRoles.nameOf(endpoint)} is no endpoint of this API.`)
      return rule
    }
    return { ruleOf, isOpen, admit }
  })

/** Guards the endpoints of an API that have the middleware `Authorized`. */
export const layer = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) =>
  Layer.effect(
    Authorized,
    Effect.map(make(api), ({ admit, isOpen, ruleOf }) => (httpEffect, { endpoint }) => {
      const rule = ruleOf(endpoint)
      if (admit === undefined || isOpen(rule)) return httpEffect
      return Effect.withFiber(({ context }) => {
        const { admission } = Context.get(context, Attempt)
        if (admission === "granted") return httpEffect
        if (admission !== undefined) return Effect.fail(admission)
        const request = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
        return Effect.flatMap(admit(request, rule), (caller) => Effect.provideService(httpEffect, Caller, caller))
      })
    })
  )
