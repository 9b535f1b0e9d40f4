/** Says what the failure of a statement means to an operator, and what mends it. */
import { Redacted } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { causeText } from "../../../database/CauseText.ts"
import { sqlState } from "../../../database/SqlFailure.ts"
import { Broken } from "./Findings.ts"

interface Named {
  readonly address: string
  readonly user: string
  readonly database: string
}

const named = (secret: Redacted.Redacted): Named => {
  const url = URL.parse(Redacted.value(secret))
  const [host, port] = [url?.hostname || "localhost", url?.port || "5432"]
  return {
    address: `${host}:${port}`,
    user: decodeURIComponent(url?.username ?? ""),
    database: decodeURIComponent(url?.pathname.slice(1) ?? "")
  }
}

const grants = '"Roles of the database" in docs/operating.md lists what it needs'

const sentenceOf = (error: SqlError, { address, database, user }: Named): string => {
  const said = causeText(error).replace(/\.$/, "")
  switch (sqlState(error)) {
    case undefined:
      return `No PostgreSQL answers at ${address} (${said}). Start it, or mend the host and the port in DATABASE_URL.`
    case "28P01":
    case "28000":
      return `PostgreSQL refuses the user "${user}" (${said}). Mend the user and the password in DATABASE_URL, or pg_hba.conf.`
    case "3D000":
      return (
        `There is no database "${database}" at ${address} (${said}). Make it by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE ` +
        "template0, or name another one in DATABASE_URL."
      )
    case "42501":
      return `The user "${user}" lacks rights (${said}). Grant them as the schema's owner: ${grants}.`
    case "25006":
      return `The database is read-only (${said}). Name the primary in DATABASE_URL, or make it writable again.`
    case "53100":
      return `The database's disk is full (${said}). Make room on it, or move the database to a larger one.`
    case "53300":
      return `PostgreSQL has no connection left (${said}). Raise its max_connections, or lower the settings POOL_….`
    default:
      return `The database can't be used (${said}). Mend that, and look again.`
  }
}

/** Keeps errors that have such a sentence already. */
export const explain =
  <E extends Error>(url: Redacted.Redacted) =>
  (error: E | SqlError): E | Broken =>
    isSqlError(error) ? new Broken({ problem: sentenceOf(error, named(url)) }) : error
