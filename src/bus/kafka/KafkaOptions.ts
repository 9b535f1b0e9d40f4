/** Says how Kafka is reached. This file does not need the client library, which may be missing. */
import type { ConnectionOptions } from "node:tls"
import { type Redacted, Schema } from "effect"

export interface KafkaOptions {
  /** Addresses of some brokers, as `host:port`; the others are found by them. */
  readonly bootstrap: ReadonlyArray<string>
  /** Names this program in the brokers' logs and quotas; "ordinal" by default. */
  readonly clientId?: string
  /** Encrypts the connections; `true` trusts the certificate authorities that Node trusts. */
  readonly tls?: boolean | ConnectionOptions
  readonly sasl?: {
    readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"
    readonly username: string
    readonly password: Redacted.Redacted
  }
}

/** The client library is not installed, or can't be loaded. */
export class KafkaClientMissing extends Schema.TaggedError<KafkaClientMissing>()("KafkaClientMissing", {
  cause: Schema.Defect()
}) {
  override get message() {
    return "Kafka needs the package @platformatic/kafka, which can't be loaded. Install it: npm install @platformatic/kafka"
  }
}
