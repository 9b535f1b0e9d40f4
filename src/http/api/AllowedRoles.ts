/** Who may send a command: part of the API's definition, so that authentication enforces what the documentation says. */
import { Context } from "effect"
import { OpenApi } from "effect/http-api"

/** The customer whose order it is, or an operator of the shop. */
export type Role = "customer" | "operator"

export class AllowedRoles extends Context.Service<AllowedRoles, ReadonlyArray<Role>>()(
  "ordinal/http/api/AllowedRoles"
) {}

const may = (description: string, ...roles: ReadonlyArray<Role>) =>
  Context.merge(Context.make(AllowedRoles, roles), OpenApi.annotations({ description, override: { "x-who": roles } }))

export const customerOrOperator = may("Who: the customer whose order it is, or an operator.", "customer", "operator")

export const operator = may("Who: an operator.", "operator")
