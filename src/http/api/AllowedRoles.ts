/**
 * Says who may send a command. It is part of the API's definition, so that authentication enforces what is documented.
 */
import { Context } from "effect"
import { OpenApi } from "effect/http-api"

/** A customer acts on orders of their own, an operator of the shop on all. */
export type Role = "customer" | "operator"

export class AllowedRoles extends Context.Service<AllowedRoles, ReadonlyArray<Role>>()(
  "ordinal/http/api/AllowedRoles"
) {}

const allow =
  (description: string, ...roles: ReadonlyArray<Role>) =>
  (summary: string) =>
    Context.merge(
      Context.make(AllowedRoles, roles),
      OpenApi.annotations({ summary, description, override: { "x-who": roles } })
    )

export const customerOrOperator = allow(
  "The customer whose order it is may send this, and so may an operator.",
  "customer",
  "operator"
)

export const operator = allow("Only an operator may send this.", "operator")
