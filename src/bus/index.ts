/**
 * Entry point `ordinal/bus`: a message bus beside the log. `Broker` is the port; `MemoryBroker` and `KafkaBroker`, which
 * needs the optional package `@platformatic/kafka`, implement it.
 */
export { Broker, type BrokerRecord, BrokerUnavailable, RecordRefused, type StoredRecord } from "./Broker.ts"
export type { PartitionLag, Topic, TopicSettings } from "./Broker.ts"
export * as EventPublisher from "./EventPublisher.ts"
export * as CommandInbox from "./inbox/CommandInbox.ts"
export * as KafkaBroker from "./kafka/KafkaBroker.ts"
export { KafkaClientMissing, type KafkaOptions } from "./kafka/KafkaOptions.ts"
export * as MemoryBroker from "./MemoryBroker.ts"
