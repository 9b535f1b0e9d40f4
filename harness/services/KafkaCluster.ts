/**
 * Brokers of a test's or a campaign's own, in a temporary folder, which can be killed, paused and started again. The jars
 * are those that `scripts/services install kafka` has fetched, or are fetched now.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../servers/FreePort.ts"
import { kafka, startBroker } from "./Kafka.ts"
import { pidOf, stop } from "./Service.ts"

export const installed = join(process.env["SERVICES_DIR"] ?? join(import.meta.dirname, "../../.services"), "kafka")

const isThere = (program: string, flag: string) => spawnSync(program, [flag]).status === 0

/** Says why Kafka can't be started here; undefined if it can. */
export const missing = (): string | undefined => {
  const programs = [["java", "-version"] as const, ["mvn", "-version"] as const]
  const absent = programs.filter(([program, flag]) => !isThere(program, flag)).map(([program]) => program)
  return absent.length === 0 ? undefined : `there is no ${absent.join(" and no ")}`
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
  readonly close: () => Promise<void>
}

export const start = async (brokers: number): Promise<KafkaCluster> => {
  await kafka.install(installed)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-kafka-"))
  for (const file of ["libs", "log4j2.properties", "installed"]) symlinkSync(join(installed, file), join(folder, file))
  const port = await freePort()
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
    const bootstrap = await kafka.up(folder, { brokers, port })
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
      close
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
