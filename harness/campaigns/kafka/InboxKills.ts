/**
 * Sends commands to a topic, each once or up to five times, while servers that take them are killed (-9), stopped and started,
 * so that partitions go from one to another. In the end each command has to have taken effect once, and to have one final
 * answer: every answer to it has the same id and says the same.
 */
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { Broker, type BrokerRecord } from "../../../src/bus/Broker.ts"
import * as KafkaBroker from "../../../src/bus/kafka/KafkaBroker.ts"
import { orderId } from "../../clients/HttpClient.ts"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { untilSo } from "../../clocks/Until.ts"
import { placement } from "../../fixtures/Shop.ts"
import { seeded } from "../../fixtures/SeededRandom.ts"
import { type Environment, type ServerProcess, start } from "../../servers/ServerProcess.ts"
import { open, type Sql } from "../../servers/Sql.ts"
import * as ForeignReaders from "../../services/ForeignReaders.ts"
import type { KafkaCluster } from "../../services/KafkaCluster.ts"

export interface Plan {
  readonly databaseUrl: string
  /** Five commands each. */
  readonly orders: number
  readonly kills: number
  /** So many servers are stopped in good order besides. */
  readonly stops: number
  readonly seed: number
  readonly progress?: (line: string) => void
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly commands: number
  readonly delivered: number
  readonly accepted: number
  readonly refused: number
  readonly answers: number
}

const topic = "orders.commands"
const replies = "orders.replies"
const group = "ordinal"
const partitions = 6

interface Command {
  readonly id: string
  readonly order: string
  /** The command is refused, whenever it comes. */
  readonly isWrong: boolean
  readonly record: BrokerRecord
}

const encoder = new TextEncoder()

/** A line without an id of its own is another line each time that it is added. */
const commandsOf = (order: string): ReadonlyArray<Command> => {
  const line = { productId: "mug", quantity: 1 }
  const customerId = OrderLoad.customer
  const all = [
    { type: "order.place", data: placement({ confirm: false, customerId }) },
    { type: "order.add-line", data: line },
    { type: "order.change-line-quantity", lineid: "none", data: { quantity: 2 } },
    { type: "order.add-line", data: line },
    { type: "order.confirm" }
  ]
  return all.map((event, index) => {
    const id = `${order}/${index}`
    const value = { specversion: "1.0", id, source: "/erp", subject: order, ...event }
    const headers = { "content-type": "application/cloudevents+json" }
    const record = { key: order, value: encoder.encode(JSON.stringify(value)), headers }
    return { id, order, isWrong: "lineid" in event, record }
  })
}

/** Puts the commands of each order in their order, and each command again up to four times behind that. */
const deliveries = (commands: ReadonlyArray<Command>, next: () => number): ReadonlyArray<BrokerRecord> =>
  commands
    .flatMap(({ record }, index) => {
      const again = Array.from({ length: Math.floor(next() * 5) }, () => index + next() * (next() < 0.5 ? 3 : 2_000))
      return [index, ...again].map((place) => ({ place, record }))
    })
    .sort((one, other) => one.place - other.place)
    .map(({ record }) => record)

interface Reply {
  readonly id: string
  readonly type: string
  readonly commandid: string
  readonly data: { readonly version?: number; readonly status?: unknown; readonly events?: ReadonlyArray<string> }
}

interface Stored {
  readonly stream: string
  readonly events: number
  readonly added: number
}

const judge = async (sql: Sql, commands: ReadonlyArray<Command>, values: AsyncIterable<string>) => {
  const faults: Array<string> = []
  const first = new Map<string, Reply>()
  let [answers, accepted, refused] = [0, 0, 0]
  for await (const value of values) {
    const reply: Reply = JSON.parse(value)
    answers += 1
    const known = first.get(reply.commandid)
    if (known === undefined) first.set(reply.commandid, reply)
    else if (known.id !== reply.id) faults.push(`${reply.commandid} has the answers ${known.id} and ${reply.id}`)
    else if (known.type !== reply.type || JSON.stringify(known.data) !== JSON.stringify(reply.data)) {
      faults.push(`the answers to ${reply.commandid} differ: ${JSON.stringify(known)}, ${value}`)
    }
  }
  const versions = new Map<string, Array<number>>()
  for (const { id, isWrong, order } of commands) {
    const reply = first.get(id)
    first.delete(id)
    if (reply === undefined) {
      faults.push(`${id} has no answer`)
      continue
    }
    const expected = isWrong ? "order.command-refused.v1" : "order.command-accepted.v1"
    if (reply.type !== expected) faults.push(`${id} is answered ${JSON.stringify(reply)}`)
    if (isWrong) refused += 1
    else accepted += 1
    if (!isWrong) versions.set(order, [...(versions.get(order) ?? []), reply.data.version ?? 0])
  }
  for (const id of first.keys()) faults.push(`${id} is answered, which nobody has sent`)
  const stored = await sql.rows<Stored>(`
    SELECT stream_id AS stream, count(*)::int AS events, (count(*) FILTER (WHERE type = 'LineAdded'))::int AS added
    FROM ordinal.events WHERE stream_id LIKE 'order-%' GROUP BY stream_id`)
  const log = new Map(stored.map((row) => [row.stream, row]))
  for (const [order, told] of versions) {
    const { added = 0, events = 0 } = log.get(`order-${order}`) ?? {}
    if (added !== 2 || events !== 4) faults.push(`${order} has ${events} events, of which ${added} add a line`)
    if (told.join() !== "1,2,3,4") faults.push(`the answers to ${order} tell the versions ${told.join()}`)
  }
  if (log.size !== versions.size) faults.push(`the log has ${log.size} orders, not ${versions.size}`)
  return { faults, answers, accepted, refused }
}

export const run = async (cluster: KafkaCluster, plan: Plan): Promise<Report> => {
  const { databaseUrl, kills, orders, progress = () => {}, seed, stops } = plan
  const next = seeded(seed)
  const sql = open(databaseUrl)
  const settings: Environment = {
    DATABASE_URL: databaseUrl,
    KAFKA_BOOTSTRAP: cluster.bootstrap,
    KAFKA_TOPIC: "",
    KAFKA_COMMANDS: topic,
    KAFKA_REPLIES: replies,
    KAFKA_GROUP: group,
    KAFKA_PARTITIONS: String(partitions),
    // Servers are started often.
    NODE_COMPILE_CACHE: join(cluster.folder, "compiled")
  }
  const asked = { name: topic, partitions }
  const kafka = KafkaBroker.layer({ bootstrap: cluster.bootstrap.split(","), clientId: "harness" })
  const withBroker = <A, E>(use: (broker: Broker["Service"]) => Effect.Effect<A, E>) =>
    Effect.runPromise(Effect.provide(Effect.flatMap(Broker, use), Layer.orDie(kafka)))

  const commands = Array.from({ length: orders }, () => commandsOf(orderId())).flat()
  // Neighbours of the list are of different orders.
  const inTurn = commands.map((_, index) => commands[(index % orders) * 5 + Math.floor(index / orders)]!)
  const records = deliveries(inTurn, next)
  const servers: Array<ServerProcess> = []
  const stored = async () => {
    const [row] = await sql.rows<{ readonly count: number }>(
      `SELECT count(*)::int AS count FROM ordinal.events WHERE stream_id LIKE 'order-%'`
    )
    return row!.count
  }
  try {
    servers.push(await start(settings))
    await OrderLoad.fill(servers[0]!.url)
    servers.push(await start(settings), await start(settings))
    const sending = withBroker((broker) =>
      Effect.gen(function* () {
        yield* broker.topic(asked)
        for (let from = 0; from < records.length; from += 500)
          yield* broker.send(topic, records.slice(from, from + 500))
      })
    )
    const effects = orders * 4
    const rounds = [...Array<"kill">(kills).fill("kill"), ...Array<"stop">(stops).fill("stop")]
    for (let round = 0; round < rounds.length; round++) {
      // Every server has its turn, when so much of the work is done.
      const enough = (effects * (round + 1)) / (rounds.length + 1)
      await untilSo(async () => (await stored()) >= enough, { what: `${enough} events of orders` })
      const server = servers.shift()!
      const end = next() < kills / (kills + stops) ? server.kill : server.stop
      const [, another] = await Promise.all([end(), start(settings)])
      servers.push(another)
      progress(`end ${round + 1} of a server, at ${await stored()} of ${effects} events`)
    }
    await sending
    const isDone = async () => {
      const lags = await withBroker((broker) => broker.lag(topic, group))
      return lags.every(({ lag }) => lag === 0n)
    }
    await untilSo(isDone, { what: "The end of all commands", pause: 500 })
    const { records: count } = await ForeignReaders.javaPartitions(cluster, replies)
    const { faults, ...figures } = await judge(sql, commands, ForeignReaders.byConsoleConsumer(cluster, replies, count))
    return { faults, commands: commands.length, delivered: records.length, ...figures }
  } finally {
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
  }
}
