/** Apache Kafka (KRaft) from Maven's jars: one broker, or three with replication factor 3 and two in-sync replicas. */
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { listening, run, type Service, start, stop } from "./Service.ts"

export const version = "4.4.0"

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ordinal</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.3</version></dependency>
  </dependencies>
</project>
`

const logging = `rootLogger.level=warn
rootLogger.appenderRef.o.ref=O
appender.o.type=Console
appender.o.name=O
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=%d %p %c{1} %m%n
`

const libs = (folder: string) => join(folder, "libs")

/** The arguments of `java` for one of Kafka's main classes. */
export const javaArguments = (folder: string, ...main: ReadonlyArray<string>): ReadonlyArray<string> => [
  "-cp",
  join(libs(folder), "*"),
  `-Dlog4j2.configurationFile=${join(folder, "log4j2.properties")}`,
  "-Xms64m",
  "-Xmx256m",
  "-XX:+UseSerialGC",
  ...main
]

const portOf = (base: number, broker: number) => base + 10 * (broker - 1)

/** Brokers from the base port on need ports at these distances from it. */
export const distances = (brokers: number): ReadonlyArray<number> =>
  Array.from({ length: brokers }, (_, index) => [portOf(0, index + 1), portOf(0, index + 1) + 1]).flat()

const propertiesOf = (folder: string, base: number, brokers: number, broker: number, host: string): string => {
  const replicas = Math.min(brokers, 3)
  const inSync = Math.max(1, replicas - 1)
  const port = portOf(base, broker)
  const listens = host === "127.0.0.1" ? host : "0.0.0.0"
  const voters = Array.from({ length: brokers }, (_, index) => `${index + 1}@127.0.0.1:${portOf(base, index + 1) + 1}`)
  return `process.roles=broker,controller
node.id=${broker}
listeners=PLAINTEXT://${listens}:${port},CONTROLLER://127.0.0.1:${port + 1}
advertised.listeners=PLAINTEXT://${host}:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=${voters.join(",")}
log.dirs=${join(folder, `data-${broker}`)}
auto.create.topics.enable=false
default.replication.factor=${replicas}
min.insync.replicas=${inSync}
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=${inSync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=${inSync}
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4500
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=10000
controlled.shutdown.enable=true
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
log.segment.bytes=67108864
`
}

/** Starts one broker of a cluster that is set up, unless it runs. */
export const startBroker = async (folder: string, broker: number, base = 19092): Promise<void> => {
  const properties = join(folder, `broker-${broker}.properties`)
  start(folder, `broker-${broker}`, "java", javaArguments(folder, "kafka.Kafka", properties))
  await listening(folder, `broker-${broker}`, portOf(base, broker))
}

const brokersIn = (folder: string): ReadonlyArray<number> =>
  readdirSync(folder).flatMap((file) => {
    const broker = /^broker-(\d+)\.pid$/.exec(file)?.[1]
    return broker === undefined ? [] : [Number(broker)]
  })

export const kafka: Service = {
  name: "kafka",
  setting: "KAFKA_BOOTSTRAP",
  install: async (folder) => {
    if (existsSync(join(folder, "installed"))) return
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "pom.xml"), pom)
    writeFileSync(join(folder, "log4j2.properties"), logging)
    await run("java", ["-version"], folder)
    const output = ["-DoutputDirectory=libs", "-DincludeScope=runtime"]
    await run("mvn", ["-q", "-B", "dependency:copy-dependencies", ...output], folder)
    writeFileSync(join(folder, "installed"), version)
  },
  up: async (folder, { brokers, host = "127.0.0.1", port: base = 19092 }) => {
    const id = join(folder, "cluster-id")
    if (!existsSync(id)) writeFileSync(id, randomBytes(16).toString("base64url"))
    const all = Array.from({ length: brokers }, (_, index) => index + 1)
    await Promise.all(
      all.map(async (broker) => {
        const properties = join(folder, `broker-${broker}.properties`)
        writeFileSync(properties, propertiesOf(folder, base, brokers, broker, host))
        const format = ["format", "--ignore-formatted", "-t", readFileSync(id, "utf8"), "-c", properties]
        await run("java", javaArguments(folder, "kafka.tools.StorageTool", ...format), folder)
      })
    )
    await Promise.all(all.map((broker) => startBroker(folder, broker, base)))
    return all.map((broker) => `${host}:${portOf(base, broker)}`).join(",")
  },
  down: async (folder) => {
    const brokers = brokersIn(folder)
    await Promise.all(brokers.map((broker) => stop(folder, `broker-${broker}`)))
    for (const file of readdirSync(folder)) {
      if (/^(data|broker)-|^cluster-id$/.test(file)) rmSync(join(folder, file), { recursive: true })
    }
  }
}
