/**
 * Reads of a PostgreSQL URL what the driver would ignore: `?ssl=` of other drivers, and a `sslmode` that it does not
 * keep. A connection that was asked to be encrypted must never be made in the clear.
 */
import { Effect } from "effect"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"

const refused = (problem: string) => Effect.fail(new DatabaseNotOpened({ reason: "UnknownUrl", problem }))

const sslValues: Readonly<Record<string, boolean>> = { true: true, "1": true, false: false, "0": false }

/** Names the files of certificates, which the driver does not read. */
const files = ["sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword"]

/** Returns whether the connection must be encrypted; undefined leaves that to `sslmode`, which the driver reads. */
export const encryption = (
  url: string,
  setting = "DATABASE_URL"
): Effect.Effect<boolean | undefined, DatabaseNotOpened> => {
  const parameters = URL.parse(url)?.searchParams ?? new URLSearchParams()
  const file = files.find((name) => parameters.has(name))
  if (file !== undefined) {
    return refused(
      `${setting} has ${file}, which is not read: certificates are checked against those of Node. ` +
        "Leave it out, and name a certificate authority of your own by NODE_EXTRA_CA_CERTS."
    )
  }
  const ssl = parameters.get("ssl")
  if (ssl === null) return Effect.succeed(undefined)
  const isEncrypted = sslValues[ssl.toLowerCase()]
  if (isEncrypted === undefined) return refused(`${setting} has ssl=${ssl}, which must be true or false.`)
  if (parameters.has("sslmode")) return refused(`${setting} has both ssl and sslmode; leave one of them out.`)
  return Effect.succeed(isEncrypted)
}
