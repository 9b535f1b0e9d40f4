/**
 * `node scripts/campaigns/kafka.ts [--quick] [--publishers N] [--brokers N] [kills]`: on a real Kafka, which is fetched and
 * started here (it needs java and mvn), under load:
 *
 * - `kills`: kill -9 of publishers and of brokers, so many times each.
 */
import { parseArgs } from "node:util"
import { spread } from "../../harness/bench/Measurement.ts"
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
  kills: { publisherKills: 200, brokerKills: 20, clients: 14, pause: 15, allowed: 10_000 }
}
const quick = {
  kills: { publisherKills: 10, brokerKills: 2, clients: 4, pause: 15, allowed: 10_000 }
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
} finally {
  await postgres.stop()
}
