/**
 * Servers publish to a cluster of three brokers under load, while the publisher and brokers are killed (-9) and one hangs. In
 * the end the topic has to be the log, hardly anything may be there twice, and nothing may have waited long. Programs that
 * nobody here has written read the topic.
 */
import { join } from "node:path"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { until, untilSo } from "../../clocks/Until.ts"
import { now } from "../../clocks/RunningTime.ts"
import { type Environment, type ServerProcess, start } from "../../servers/ServerProcess.ts"
import { open, type Sql } from "../../servers/Sql.ts"
import * as ForeignReaders from "../../services/ForeignReaders.ts"
import type { KafkaCluster } from "../../services/KafkaCluster.ts"
import { judge, type Verdict } from "./TopicJudge.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly topic: string
  readonly publisherKills: number
  readonly brokerKills: number
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  /** So many milliseconds may pass after a kill until nothing is left to publish; a busy machine takes as long as it does. */
  readonly allowed: number
  readonly progress?: (line: string) => void
}

/** Milliseconds from a kill until another process or other brokers had taken over, and until nothing was left to publish. */
export interface Kill {
  readonly takenOver: number
  readonly healed: number
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly orders: number
  readonly commands: number
  readonly ordersPerSecond: number
  readonly publisherKills: ReadonlyArray<Kill>
  readonly brokerKills: ReadonlyArray<Kill>
  /** The broker goes on hanging meanwhile. */
  readonly hung: Kill
  readonly duplicates: { readonly ofPublisherKills: number; readonly ofBrokerKills: number }
  /** So many different ids were read. */
  readonly read: { readonly console: number; readonly kcat: number | undefined }
  readonly java: ForeignReaders.JavaPartitions
}

/** The publisher has at most so many events on their way. */
const batch = 500

interface Standing {
  readonly position: number
  readonly head: number
  readonly owner: string | null
}

const standingOf = (sql: Sql, topic: string) => async (): Promise<Standing> => {
  const [row] = await sql.rows<Standing>(`
    SELECT coalesce(c."position", 0)::float8 AS position, h."position"::float8 AS head, c.owner
    FROM ordinal.log_head h LEFT JOIN ordinal.checkpoints c ON c.projection = 'publish-${topic}'`)
  return row!
}

const valuesOf = async function* (lines: AsyncIterable<string>) {
  for await (const value of lines) yield { value }
}

export const run = async (cluster: KafkaCluster, plan: Plan): Promise<Report> => {
  const { allowed, brokerKills, clients, databaseUrl, pause, progress = () => {}, publisherKills, topic } = plan
  const sql = open(databaseUrl)
  const settings: Environment = {
    DATABASE_URL: databaseUrl,
    KAFKA_BOOTSTRAP: cluster.bootstrap,
    KAFKA_TOPIC: topic,
    KAFKA_REPLICATION: String(Math.min(3, cluster.brokers.length)),
    KAFKA_PARTITIONS: "6",
    // Servers are started often.
    NODE_COMPILE_CACHE: join(cluster.folder, "compiled")
  }
  const standing = standingOf(sql, topic)
  const servers: Array<ServerProcess> = []
  const log = (what: string, { healed, takenOver }: Kill) =>
    progress(`${what}: taken over after ${takenOver} ms, healed after ${healed} ms`)

  /** Waits until somebody has taken over, and then until everything is published that is stored by then. */
  const healing = async (takeOver: () => Promise<void>): Promise<Kill> => {
    const broken = now()
    await takeOver()
    const takenOver = Math.round(now() - broken)
    await caughtUp()
    return { takenOver, healed: Math.round(now() - broken) }
  }

  /** Waits until everything is published that is stored now. */
  const caughtUp = async () => {
    const { head } = await standing()
    await untilSo(async () => (await standing()).position >= head, { what: `The events up to ${head}`, pause: 20 })
  }
  /** Waits until the publisher is at work. */
  const atWork = async () => {
    const { head } = await standing()
    await untilSo(async () => (await standing()).position > head, { what: "A publisher at work" })
  }

  const starts: Array<Promise<unknown>> = []
  /** Starts a server; nobody waits for it but those who have too few. */
  const addServer = () => {
    starts.push(start(settings).then((server) => servers.push(server)))
  }

  const killPublisher = async () => {
    if (servers.length < 2) await Promise.all(starts)
    await atWork()
    const publisher = async () => {
      const { owner } = await standing()
      const server = servers.find(({ output }) => owner !== null && output().includes(owner))
      return server === undefined ? undefined : { owner, server }
    }
    const found = await until(publisher, (one) => one !== undefined, { what: "A publisher" })
    const { owner, server } = found!
    servers.splice(servers.indexOf(server), 1)
    await server.kill()
    addServer()
    const hasHeir = async () => {
      const { owner: heir } = await standing()
      return heir !== null && heir !== owner
    }
    return healing(() => untilSo(hasHeir, { what: "Another publisher", pause: 20 }))
  }

  const whole = () =>
    cluster.untilEach(topic, ({ inSync, replicas }) => inSync === replicas, "Brokers that all have everything")

  const othersLead = (broker: number) => () =>
    cluster.untilEach(topic, ({ leader }) => leader > 0 && leader !== broker, "New leaders")

  const killBroker = async (broker: number) => {
    await whole()
    await atWork()
    await cluster.kill(broker)
    const kill = await healing(othersLead(broker))
    await cluster.restart(broker)
    return kill
  }

  /** Commands go on while a broker hangs, and events once others lead its partitions. */
  const hangBroker = async (broker: number, load: OrderLoad.Load) => {
    await whole()
    await atWork()
    cluster.pause(broker)
    try {
      for (let answer = 0; answer < 50; answer++) await load.nextAcknowledged()
      return await healing(othersLead(broker))
    } finally {
      cluster.resume(broker)
    }
  }

  try {
    servers.push(await start(settings))
    await OrderLoad.fill(servers[0]!.url)
    addServer()
    addServer()
    await Promise.all(starts)
    const load = OrderLoad.start({ urls: () => servers.map(({ url }) => url), clients, pause })
    const began = now()
    const [ofPublishers, ofBrokers]: [Array<Kill>, Array<Kill>] = [[], []]
    for (let kill = 1; kill <= publisherKills; kill++) {
      ofPublishers.push(await killPublisher())
      log(`kill ${kill} of the publisher`, ofPublishers.at(-1)!)
    }
    await caughtUp()
    const { position: boundary } = await standing()
    for (let kill = 1; kill <= brokerKills; kill++) {
      const broker = cluster.brokers[kill % cluster.brokers.length]!
      ofBrokers.push(await killBroker(broker))
      log(`kill ${kill} of a broker, ${broker}`, ofBrokers.at(-1)!)
    }
    const hung = await hangBroker(cluster.brokers[0]!, load)
    log("a broker hung", hung)
    await whole()
    await load.stop()
    const seconds = (now() - began) / 1_000
    await caughtUp()

    const faults = [...load.faults]
    const hasKcat = ForeignReaders.kcatMissing() === undefined
    const kcat = hasKcat ? await judge(sql, ForeignReaders.byKcat(cluster.bootstrap, topic)) : undefined
    const java = await ForeignReaders.javaPartitions(cluster, topic)
    const own = await judge(sql, valuesOf(ForeignReaders.byConsoleConsumer(cluster, topic, java.records)))
    const verdicts: ReadonlyArray<Verdict> = kcat === undefined ? [own] : [kcat, own]
    faults.push(...verdicts.flatMap((verdict) => verdict.faults))
    if (java.elsewhere > 0) faults.push(`${java.elsewhere} records are not where Kafka's own producer puts their keys`)
    if (java.keys !== own.keys) faults.push(`the Java client found ${java.keys} keys of ${own.keys}`)
    if (kcat !== undefined && kcat.records !== own.records) {
      faults.push(`kcat read ${kcat.records} records, Kafka's consumer ${own.records}`)
    }
    const ofPublisherKills = own.again.filter((position) => position <= boundary).length
    const duplicates = { ofPublisherKills, ofBrokerKills: own.again.length - ofPublisherKills }
    if (ofPublisherKills > publisherKills) {
      faults.push(`${ofPublisherKills} records are there again after ${publisherKills} kills of the publisher`)
    }
    if (duplicates.ofBrokerKills > batch * (brokerKills + 1)) {
      faults.push(`${duplicates.ofBrokerKills} records are there again after ${brokerKills} kills of brokers`)
    }
    const slow = [...ofPublishers, ...ofBrokers].filter(({ healed }) => healed > allowed)
    faults.push(...slow.map(({ healed }) => `it took ${healed} ms after a kill until all was published`))
    const orders = new Set(load.acknowledged.map(({ orderId }) => orderId)).size
    return {
      faults,
      orders,
      commands: load.acknowledged.length,
      ordersPerSecond: Math.round(orders / seconds),
      publisherKills: ofPublishers,
      brokerKills: ofBrokers,
      hung,
      duplicates,
      read: { console: own.ids, kcat: kcat?.ids },
      java
    }
  } finally {
    await Promise.allSettled(starts)
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
  }
}
