/** The settings of Kafka, and the layers that they ask for: none without `KAFKA_BOOTSTRAP`. */
import { Effect, Layer, Redacted } from "effect"
import * as EventPublisher from "../bus/EventPublisher.ts"
import * as CommandInbox from "../bus/inbox/CommandInbox.ts"
import * as KafkaBroker from "../bus/kafka/KafkaBroker.ts"
import type { KafkaOptions } from "../bus/kafka/KafkaOptions.ts"
import type { Role } from "./Roles.ts"
import { boolean, choice, integer, listed, secret, setting, text, type Values } from "./SettingKinds.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

const topic = text("topic", "a name of 1 to 200 letters, digits, dots, hyphens and underscores", /^[\w.-]{1,200}$/)
const anyTopic = {
  ...topic,
  schema: text("topic", "", /^[\w.-]{0,200}$/).schema,
  expected: `${topic.expected}, or nothing`
}
const brokers = text(
  "addresses",
  "addresses such as kafka1:9092,kafka2:9092",
  /^([^\s,:/]+:\d{1,5}(,[^\s,:/]+:\d{1,5})*)?$/
)

export const kafkaSettings = {
  KAFKA_BOOTSTRAP: setting("", brokers, "brokers of the Kafka cluster that events are published to; none without it"),
  KAFKA_TOPIC: setting("orders", anyTopic, "the topic of the events of orders; nothing to publish none"),
  KAFKA_COMMANDS: setting("", anyTopic, "the topic that commands are taken from; nothing to take none"),
  KAFKA_REPLIES: setting("orders.replies", topic, "the topic that commands are answered on"),
  KAFKA_GROUP: setting("ordinal", topic, "the consumer group of the processes that take commands"),
  KAFKA_PARTITIONS: setting(12, integer(1, 10_000), "partitions of a topic that is made"),
  KAFKA_REPLICATION: setting(
    0,
    integer(0, 100),
    "replicas of a topic that is made; 0 for what the brokers have as default"
  ),
  KAFKA_CLIENT_ID: setting("ordinal", topic, "the name of this program in the brokers' logs and quotas"),
  KAFKA_TLS: setting(false, boolean, "encrypt the connections to Kafka"),
  KAFKA_SASL: setting(
    "none",
    choice("none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    "how to authenticate to Kafka, with KAFKA_USERNAME and KAFKA_PASSWORD"
  ),
  KAFKA_USERNAME: setting("", text("name", "text", /^/), "user name for KAFKA_SASL"),
  KAFKA_PASSWORD: setting(Redacted.make(""), secret, "password for KAFKA_SASL")
} satisfies Record<string, unknown>

export type KafkaSettings = Values<typeof kafkaSettings>

const problemOf = (settings: KafkaSettings): string | undefined => {
  const { KAFKA_COMMANDS, KAFKA_PASSWORD, KAFKA_REPLIES, KAFKA_SASL, KAFKA_TOPIC, KAFKA_USERNAME } = settings
  if (KAFKA_SASL !== "none" && (KAFKA_USERNAME === "" || Redacted.value(KAFKA_PASSWORD) === "")) {
    return `The setting KAFKA_SASL is "${KAFKA_SASL}", which needs KAFKA_USERNAME and KAFKA_PASSWORD.`
  }
  const topics = [KAFKA_TOPIC, ...(KAFKA_COMMANDS === "" ? [] : [KAFKA_COMMANDS, KAFKA_REPLIES])]
  const twice = topics.find((topic, index) => topics.indexOf(topic) < index)
  return twice === undefined ? undefined : `Two of KAFKA_TOPIC, KAFKA_COMMANDS and KAFKA_REPLIES are "${twice}".`
}

const optionsOf = (settings: KafkaSettings): KafkaOptions => ({
  bootstrap: listed(settings.KAFKA_BOOTSTRAP),
  clientId: settings.KAFKA_CLIENT_ID,
  tls: settings.KAFKA_TLS,
  ...(settings.KAFKA_SASL === "none"
    ? {}
    : {
        sasl: {
          mechanism: settings.KAFKA_SASL,
          username: settings.KAFKA_USERNAME,
          password: settings.KAFKA_PASSWORD
        }
      })
})

/** Publishes events and takes commands, as the settings and the roles of this process say. */
export const layer = (settings: KafkaSettings, roles: ReadonlySet<Role>) => {
  const { KAFKA_BOOTSTRAP, KAFKA_COMMANDS, KAFKA_GROUP, KAFKA_PARTITIONS, KAFKA_REPLICATION } = settings
  const problem = problemOf(settings)
  if (problem !== undefined) return Layer.effectDiscard(Effect.fail(new UnusableSetting({ problem })))
  const publishes = settings.KAFKA_TOPIC !== "" && roles.has("projector")
  const takesCommands = KAFKA_COMMANDS !== "" && roles.has("command")
  if (KAFKA_BOOTSTRAP === "" || !(publishes || takesCommands)) return Layer.empty
  const topicOf = (name: string) => ({
    name,
    partitions: KAFKA_PARTITIONS,
    ...(KAFKA_REPLICATION === 0 ? {} : { replicationFactor: KAFKA_REPLICATION })
  })
  const publisher = publishes ? EventPublisher.layer({ topic: topicOf(settings.KAFKA_TOPIC) }) : Layer.empty
  const inbox = takesCommands
    ? CommandInbox.layer({
        commands: topicOf(KAFKA_COMMANDS),
        replies: topicOf(settings.KAFKA_REPLIES),
        group: KAFKA_GROUP
      })
    : Layer.empty
  return Layer.merge(publisher, inbox).pipe(
    Layer.provide(KafkaBroker.layer(optionsOf(settings))),
    Layer.catchTag("KafkaClientMissing", ({ message }) =>
      Layer.effectDiscard(Effect.fail(new UnusableSetting({ problem: `KAFKA_BOOTSTRAP is set. ${message}` })))
    )
  )
}
