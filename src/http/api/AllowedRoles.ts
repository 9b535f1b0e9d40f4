/**
 * Says who may send a request to an endpoint: roles, and the scope that an API key needs. It is part of the API's
 * definition, so that `guard/Guard` enforces what is documented.
 */
import { Context } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup, OpenApi } from "effect/http-api"
import { kebab } from "../../aggregate/PublishedEvent.ts"
import type { Role } from "../../identity/Identity.ts"
import { Authorized } from "./Boundary.ts"

export class AllowedRoles extends Context.Service<AllowedRoles, ReadonlyArray<Role | "anyone">>()(
  "ordinal/http/api/AllowedRoles"
) {}

/** Names the scope of an endpoint where `scopeOf` would not find the right one. */
export class OwnScope extends Context.Service<OwnScope, string>()("ordinal/http/api/AllowedRoles/OwnScope") {}

const allow =
  (description: string, ...roles: AllowedRoles["Service"]) =>
  (summary: string, more = "") =>
    Context.merge(
      Context.make(AllowedRoles, roles),
      OpenApi.annotations({ summary, description: `${more}${description}`, override: { "x-who": roles } })
    )

export const customerOrOperator = allow(
  "The customer whose order it is may send this, and so may an operator.",
  "customer",
  "operator"
)

export const ownOrAll = allow("A customer sees what is their own, and an operator sees all.", "customer", "operator")

export const everyCaller = allow("Customers and operators may send this.", "customer", "operator")

export const operator = allow("Only an operator may send this.", "operator")

export const anyone = allow("Anybody may send this, without a token.", "anyone")

export interface Rule {
  readonly roles: AllowedRoles["Service"]
  readonly scope: string
}

/** Commands have scopes of their own, as in `orders:ship`; all reads of one kind share one, as in `orders:read`. */
const scopeOf = (group: string, { identifier, method }: HttpApiEndpoint.Top, roles: Rule["roles"]): string => {
  if (roles.length === 1 && roles[0] === "admin") return "admin"
  const kind = ["orderQueries", "streams", "fulfilment"].includes(group) ? "orders" : group
  return `${kind}:${method === "GET" ? "read" : kebab(identifier)}`
}

/** A scope grants itself, and one such as `orders:*` all of its kind. */
export const grants = (scopes: ReadonlyArray<string>, scope: string): boolean =>
  scopes.includes(scope) || scopes.includes(scope.replace(/:.*/, ":*"))

export const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path}`

/**
 * Finds the rule of each endpoint by its method and path. Throws a `TypeError` if one declares no roles, or roles that
 * nothing enforces.
 */
export const rulesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyMap<string, Rule> => {
  const rules = new Map<string, Rule>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, group, mergedAnnotations }) => {
      const roles = Context.getOrUndefined(mergedAnnotations, AllowedRoles)
      if (roles === undefined) throw new TypeError(`${nameOf(endpoint)} does not declare who may send it.`)
      if (!roles.includes("anyone") && !endpoint.middlewares.has(Authorized)) {
        throw new TypeError(`${nameOf(endpoint)} declares who may send it, but has no middleware Authorized for that.`)
      }
      const scope = Context.getOrUndefined(mergedAnnotations, OwnScope)
      rules.set(nameOf(endpoint), { roles, scope: scope ?? scopeOf(group.identifier, endpoint, roles) })
    }
  })
  return rules
}
