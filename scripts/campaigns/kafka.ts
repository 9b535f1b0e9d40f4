/**
 * `node scripts/campaigns/kafka.ts [--quick] [--publishers N] [--brokers N] [kills] [inbox] [away]`: on a real Kafka, which is
 * fetched and started here (it needs java and mvn), under load:
 *
 * - `kills`: kill -9 of publishers and of brokers, so many times each;
 * - `inbox`: kill -9 of servers that take commands from a topic;
 * - `away`: commands while the broker hangs, beside commands while it works.
 */
import { parseArgs } from "node:util"
import { spread } from "../../harness/bench/Measurement.ts"
import * as BrokerAway from "../../harness/campaigns/kafka/BrokerAway.ts"
import * as InboxKills from "../../harness/campaigns/kafka/InboxKills.ts"
import * as KafkaKills from "../../harness/campaigns/kafka/KafkaKills.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { freshDatabase } from "../../harness/servers/Sql.ts"
import { version } from "../../harness/services/Kafka.ts"
import * as KafkaCluster from "../../harness/services/KafkaCluster.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, publishers: { type: "string" }, brokers: { type: "string" } }
})
const wanted = (act: string) => positionals.length === 0 || positionals.includes(act)

const full = {
  kills: { publisherKills: 200, brokerKills: 20, clients: 14, pause: 15, allowed: 10_000 },
  inbox: { orders: 2_000, kills: 20, stops: 5, seed: 1 },
  away: { rounds: 8, seconds: 15, connections: 16 }
}
const quick = {
  kills: { publisherKills: 10, brokerKills: 2, clients: 4, pause: 15, allowed: 10_000 },
  inbox: { orders: 200, kills: 3, stops: 1, seed: 1 },
  away: { rounds: 3, seconds: 3, connections: 16 }
}
const plan = values.quick === true ? quick : full

const postgres = await PostgresServer.start()

const onCluster = async (brokers: number, play: (cluster: KafkaCluster.KafkaCluster) => Promise<void>) => {
  const cluster = await KafkaCluster.start(brokers)
  await play(cluster).finally(cluster.close)
}

const spreads = (kills: ReadonlyArray<KafkaKills.Kill>) =>
  kills.length === 0
    ? undefined
    : {
        takenOver: spread(kills.map(({ takenOver }) => takenOver)),
        healed: spread(kills.map(({ healed }) => healed))
      }

const progress = (line: string) => console.log(`${new Date().toISOString()} ${line}`)

const database = async () => (await freshDatabase(postgres.url)).url

try {
  if (wanted("kills")) {
    await onCluster(3, async (cluster) => {
      const { brokers = plan.kills.brokerKills, publishers = plan.kills.publisherKills } = values
      const kills = { ...plan.kills, publisherKills: Number(publishers), brokerKills: Number(brokers) }
      const given = { ...kills, topic: "orders", databaseUrl: await database(), progress }
      const { brokerKills, faults, publisherKills, ...figures } = await KafkaKills.run(cluster, given)
      const millis = { publisherKills: spreads(publisherKills), brokerKills: spreads(brokerKills) }
      report({ campaign: "kafka kills", kafka: version, plan: kills, ...figures, millis }, faults)
    })
  }
  if (wanted("inbox")) {
    await onCluster(3, async (cluster) => {
      const given = { ...plan.inbox, databaseUrl: await database(), progress }
      const { faults, ...figures } = await InboxKills.run(cluster, given)
      report({ campaign: "kafka inbox", kafka: version, ...plan.inbox, ...figures }, faults)
    })
  }
  if (wanted("away")) {
    await onCluster(1, async (cluster) => {
      for (const [topic, pace] of [
        ["orders.steady", { rate: 200 }],
        ["orders.most", {}]
      ] as const) {
        const given = { ...plan.away, ...pace, topic, databaseUrl: await database(), progress }
        const { faults, ...figures } = await BrokerAway.run(cluster, given)
        report({ campaign: "kafka away", kafka: version, ...plan.away, ...pace, ...figures }, faults)
      }
    })
  }
} finally {
  await postgres.stop()
}
