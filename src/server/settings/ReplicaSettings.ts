/** The settings of a replica of the database, and the options that they ask for: none without `DATABASE_REPLICA_URL`. */
import { Duration, Redacted, Schema } from "effect"
import { defaultReplica, type ReplicaOptions } from "../../database/DatabaseOptions.ts"
import { duration, integer, type Kind, setting, type Values } from "../SettingKinds.ts"

const replicaUrl: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.isPattern(/^(postgres(ql)?:\/\/.+)?$/))),
  placeholder: "url",
  expected: "postgres://user:password@host:5432/name, or nothing"
}

export const replicaSettings = {
  DATABASE_REPLICA_URL: setting(
    Redacted.make(""),
    replicaUrl,
    "a streaming replica of DATABASE_URL that answers reads of orders as far as it is fresh enough; none without it"
  ),
  DATABASE_REPLICA_WAIT: setting(
    Duration.fromInputUnsafe(defaultReplica.wait),
    duration("1 milli", "10 seconds"),
    "how long a read waits for the replica before it goes to the primary"
  ),
  POOL_REPLICA: setting(defaultReplica.connections, integer(1, 100), "PostgreSQL connections for reading the replica")
} satisfies Record<string, unknown>

export type ReplicaSettings = Values<typeof replicaSettings>

export const options = (settings: ReplicaSettings): { readonly replica?: ReplicaOptions } => {
  const { DATABASE_REPLICA_URL: url, DATABASE_REPLICA_WAIT: wait, POOL_REPLICA: connections } = settings
  return Redacted.value(url) === "" ? {} : { replica: { url, wait, connections } }
}
