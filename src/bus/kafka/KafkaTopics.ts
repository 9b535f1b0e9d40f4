/** Creates topics, and tells how they are. */
import type * as Library from "@platformatic/kafka"
import { Duration, Effect, Schedule } from "effect"
import { BrokerUnavailable, type Topic, type TopicSettings } from "../Broker.ts"
import { call, unavailable } from "./KafkaClient.ts"

/** A topic resource, as Kafka numbers them. */
const topicResource = 2

export interface KafkaTopic extends Topic {
  /** Records of one partition that are sent together may have so many bytes. */
  readonly maxBatchBytes: number
}

const create = (admin: Library.Admin, { name, partitions, replicationFactor = -1 }: TopicSettings) =>
  Effect.tryPromise({
    try: () => admin.createTopics({ topics: [name], partitions, replicas: replicationFactor }),
    catch: (error) => error
  }).pipe(
    Effect.catchIf(
      (error) => String((error as Library.MultipleErrors).findBy?.("apiId", "TOPIC_ALREADY_EXISTS")) !== "null",
      () => Effect.void
    ),
    Effect.mapError(unavailable)
  )

const configOf = (admin: Library.Admin, name: string, keys: ReadonlyArray<string>) =>
  call(() =>
    admin.describeConfigs({
      resources: [{ resourceType: topicResource, resourceName: name, configurationKeys: [...keys] }]
    })
  ).pipe(
    Effect.map(([description]) => (key: string, otherwise: number) => {
      const value = description?.configs.find((config) => config.name === key)?.value
      return value === undefined || value === null ? otherwise : Number(value)
    })
  )

/** Kafka deletes whole segments, each once its last record is old enough. */
const retentionOf = (retention: number, segment: number) =>
  retention < 0 ? Duration.infinity : Duration.millis(retention + segment + 600_000)

export const describe = Effect.fnUntraced(function* (admin: Library.Admin, name: string) {
  const metadata = yield* call(() => admin.metadata({ topics: [name], forceUpdate: true }))
  const found = metadata.topics.get(name)
  if (found === undefined) return yield* BrokerUnavailable.because(`it has no topic ${name}`)
  const config = yield* configOf(admin, name, ["retention.ms", "segment.ms", "max.message.bytes"])
  return {
    name,
    id: found.id,
    partitions: found.partitionsCount,
    replicationFactor: found.partitions[0]?.replicas.length ?? 0,
    retention: retentionOf(config("retention.ms", 604_800_000), config("segment.ms", 604_800_000)),
    maxBatchBytes: config("max.message.bytes", 1_048_588)
  } satisfies KafkaTopic
})

/** Brokers learn of a new topic one after the other. */
const whileNew = Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 50 }))

export const ensure = (admin: Library.Admin, settings: TopicSettings): Effect.Effect<KafkaTopic, BrokerUnavailable> =>
  Effect.andThen(create(admin, settings), Effect.retry(describe(admin, settings.name), whileNew))
