/** Reads topics by programs that nobody here has written: kcat, and the console consumer and the Java client of Kafka itself. */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { javaArguments } from "./Kafka.ts"
import type { KafkaCluster } from "./KafkaCluster.ts"

/** Gives the lines that a program prints, as it goes; fails with what it says if it fails. */
const linesOf = async function* (program: string, args: ReadonlyArray<string>): AsyncGenerator<string> {
  const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"] })
  let complaints = ""
  child.stderr.on("data", (bytes: Buffer) => {
    complaints = (complaints + bytes.toString()).slice(-2_000)
  })
  const ended = once(child, "close")
  ended.catch(() => {})
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Infinity })
    const [code] = await ended
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${complaints}`)
  } finally {
    child.kill("SIGKILL")
  }
}

export interface ForeignRecord {
  readonly partition: number
  readonly key: string
  readonly value: string
}

/** Says why kcat can't be run here; undefined if it can. */
export const kcatMissing = (): string | undefined =>
  spawnSync("kcat", ["-V"]).status === 0 ? undefined : "there is no kcat (apt-get install kcat)"

/** Every record of a topic, as librdkafka reads it. Keys have no spaces. */
export const byKcat = async function* (bootstrap: string, topic: string): AsyncGenerator<ForeignRecord> {
  const all = ["-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%p %k %s\n"]
  for await (const line of linesOf("kcat", all)) {
    const [, partition, key, value] = /^(\d+) (\S*) (.*)$/.exec(line) ?? []
    if (value === undefined) throw new Error(`kcat printed ${line.slice(0, 200)}`)
    yield { partition: Number(partition), key: key!, value }
  }
}

/** The values of the first `count` records of a topic, as Kafka's console consumer prints them. */
export const byConsoleConsumer = ({ bootstrap, folder }: KafkaCluster, topic: string, count: number) => {
  const options = ["--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning", "--timeout-ms", "60000"]
  const consumer = ["org.apache.kafka.tools.consumer.ConsoleConsumer", ...options, "--max-messages", String(count)]
  return linesOf("java", javaArguments(folder, ...consumer))
}

export interface JavaPartitions {
  readonly records: number
  readonly keys: number
  /** These records are in another partition than the one that Kafka's producer chooses for their key. */
  readonly elsewhere: number
}

/** Reads a topic with Kafka's Java client, and compares each record's partition with the one that its producer chooses. */
export const javaPartitions = async ({ bootstrap, folder }: KafkaCluster, topic: string): Promise<JavaPartitions> => {
  const program = join(import.meta.dirname, "PartitionsOfKeys.java")
  for await (const line of linesOf("java", javaArguments(folder, program, bootstrap, topic))) {
    if (line.startsWith("{")) return JSON.parse(line)
  }
  throw new Error("The Java client printed no answer.")
}
