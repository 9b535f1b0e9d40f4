/**
 * What needs a real Kafka: the contract of brokers, the publisher while it and brokers are killed, and the inbox while the
 * servers that take commands are. Three brokers are fetched, started and stopped here.
 */
import { Effect, Layer } from "effect"
import { assert, beforeAll, describe, it } from "vitest"
import * as KafkaBroker from "../../src/bus/kafka/KafkaBroker.ts"
import { brokerContract } from "../../harness/bus/BrokerContract.ts"
import * as InboxKills from "../../harness/campaigns/kafka/InboxKills.ts"
import * as ErpCampaign from "../../harness/campaigns/erp/ErpCampaign.ts"
import * as KafkaKills from "../../harness/campaigns/kafka/KafkaKills.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"
import { directory, freshDatabase } from "../../harness/servers/Resources.ts"
import * as ForeignReaders from "../../harness/services/ForeignReaders.ts"
import * as KafkaCluster from "../../harness/services/KafkaCluster.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"

describe("Kafka", () => {
  let cluster: KafkaCluster.KafkaCluster
  beforeAll(async () => {
    cluster = await KafkaCluster.start(3)
    return cluster.close
  })

  brokerContract(
    "Kafka",
    Layer.unwrap(Effect.sync(() => KafkaBroker.layer({ bootstrap: cluster.bootstrap.split(",") })))
  )

  let topic: KafkaKills.Report["read"] | undefined

  it("has the log as its topic, and hardly anything twice, after kills of 10 publishers and 2 brokers", async () => {
    const { faults, orders, read } = await KafkaKills.run(cluster, {
      databaseUrl: await freshDatabase(),
      topic: "orders",
      publisherKills: 10,
      brokerKills: 2,
      clients: 4,
      pause: 15,
      allowed: Infinity
    })
    assert.deepStrictEqual(faults, [])
    assert.isAbove(orders, 0)
    topic = read
  })

  it("is followed, as docs/integrating.md says, by a system that is killed at any step and does everything once", async () => {
    const { done, faults, events } = await ErpCampaign.run({
      databaseUrl: await freshDatabase(),
      folder: await directory(),
      ways: ["kafka"],
      kafka: cluster.bootstrap,
      crashes: 10,
      serverKills: 2,
      rebuilds: 0,
      clients: 2,
      pause: 20,
      seed
    })
    assert.deepStrictEqual(faults, [])
    assert.isAbove(done.kafka ?? 0, events / 2)
  })

  ciSuite("kcat reads every event of the topic", ForeignReaders.kcatMissing(), () => {
    it("finds as many ids as Kafka's own consumer", () => assert.strictEqual(topic?.kcat, topic?.console))
  })

  it("gives each of 1,000 commands one effect and one answer, while 4 servers that take them end", async () => {
    const { commands, faults } = await InboxKills.run(cluster, {
      databaseUrl: await freshDatabase(),
      orders: 200,
      kills: 3,
      stops: 1,
      seed: 1
    })
    assert.deepStrictEqual(faults, [])
    assert.strictEqual(commands, 1_000)
  })
})
