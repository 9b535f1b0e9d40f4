/** Lists the scopes that an API key can have: one for each command, one for the reads of a kind, and those of operators. */
import * as AllowedRoles from "./AllowedRoles.ts"
import { Api } from "./Api.ts"

const ofApi = [...AllowedRoles.rulesOf(Api).values()].flatMap(({ roles, scope }) =>
  roles.includes("anyone") ? [] : [scope]
)

/** `metrics:read` and `admin` are of the operators' port. */
export const scopes: ReadonlyArray<string> = [...new Set([...ofApi, "metrics:read", "admin"])].toSorted()

/** Tells what is wrong with the scopes of a new key; `undefined` if nothing is. */
export const mistakeIn = (named: ReadonlyArray<string>): string | undefined => {
  if (named.length === 0) return `A key needs a scope: ${scopes.join(", ")}, or one such as orders:*`
  const unknown = named.find((scope) => !scopes.some((known) => AllowedRoles.grants([scope], known)))
  return unknown === undefined
    ? undefined
    : `There is no scope "${unknown.slice(0, 60)}"; there are ${scopes.join(", ")}, and such as orders:*`
}
