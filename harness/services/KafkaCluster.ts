/**
 * Brokers of a test's or a campaign's own, in a temporary folder, which can be killed, paused and started again. The jars
 * are those that `scripts/services install kafka` has fetched, or are fetched now.
 */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Admin } from "@platformatic/kafka"
import { until } from "../clocks/Until.ts"
import { freePorts } from "../servers/FreePort.ts"
import { distances, kafka, startBroker } from "./Kafka.ts"
import { pidOf, stop } from "./Service.ts"

export const installed = join(process.env["SERVICES_DIR"] ?? join(import.meta.dirname, "../../.services"), "kafka")

export interface Partition {
  /** The number of the broker that leads it; -1 if none does. */
  readonly leader: number
  /** So many brokers have all its records. */
  readonly inSync: number
  readonly replicas: number
}

export interface KafkaCluster {
  readonly bootstrap: string
  /** The folder of its data, and of the jars. */
  readonly folder: string
  readonly brokers: ReadonlyArray<number>
  /** kill -9. */
  readonly kill: (broker: number) => Promise<void>
  readonly pause: (broker: number) => void
  readonly resume: (broker: number) => void
  /** Starts a broker that was killed, with what it has stored. */
  readonly restart: (broker: number) => Promise<void>
  /** Waits until the brokers say this of every partition of the topic. */
  readonly untilEach: (topic: string, isSo: (partition: Partition) => boolean, what: string) => Promise<void>
  readonly close: () => Promise<void>
}

const describe = async (broker: string, topic: string): Promise<ReadonlyArray<Partition> | undefined> => {
  const admin = new Admin({ clientId: "harness", bootstrapBrokers: [broker], retries: 0, requestTimeout: 2_000 })
  admin.on("error", () => {})
  try {
    const { topics } = await admin.metadata({ topics: [topic] })
    return topics
      .get(topic)
      ?.partitions.map(({ isr, leader, replicas }) => ({ leader, inSync: isr.length, replicas: replicas.length }))
  } catch {
    return undefined
  } finally {
    await admin.close()
  }
}

/** Asks one broker after the other; gives undefined while none answers, or the topic is not there. */
const partitionsOf = async (bootstrap: string, topic: string): Promise<ReadonlyArray<Partition> | undefined> => {
  for (const broker of bootstrap.split(",")) {
    const partitions = await describe(broker, topic)
    if (partitions !== undefined) return partitions
  }
  return undefined
}

/** Starts brokers that clients reach at this address. */
export const start = async (brokers: number, host = "127.0.0.1"): Promise<KafkaCluster> => {
  await kafka.install(installed)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-kafka-"))
  for (const file of ["libs", "log4j2.properties", "installed"]) symlinkSync(join(installed, file), join(folder, file))
  const port = await freePorts(distances(brokers))
  const signal = (broker: number, name: NodeJS.Signals) => {
    const pid = pidOf(folder, `broker-${broker}`)
    if (pid !== undefined) process.kill(pid, name)
  }
  const close = async () => {
    for (let broker = 1; broker <= brokers; broker++) {
      signal(broker, "SIGKILL")
      await stop(folder, `broker-${broker}`)
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const bootstrap = await kafka.up(folder, { brokers, port, host })
    return {
      bootstrap,
      folder,
      brokers: Array.from({ length: brokers }, (_, index) => index + 1),
      kill: async (broker) => {
        signal(broker, "SIGKILL")
        await stop(folder, `broker-${broker}`)
      },
      pause: (broker) => signal(broker, "SIGSTOP"),
      resume: (broker) => signal(broker, "SIGCONT"),
      restart: (broker) => startBroker(folder, broker, port),
      untilEach: async (topic, isSo, what) => {
        const look = () => partitionsOf(bootstrap, topic)
        await until(look, (all) => all !== undefined && all.length > 0 && all.every(isSo), { what, pause: 50 })
      },
      close
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
