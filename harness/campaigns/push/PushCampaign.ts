/**
 * A server as its own process on a new database, with the shop that is filled over HTTP: where campaigns of pushes run.
 */
import { freshDatabase, open, type Sql } from "../../servers/Sql.ts"
import { type Environment, node, type ServerProcess, start } from "../../servers/ServerProcess.ts"
import * as MemoryProbe from "../../clocks/MemoryProbe.ts"
import * as PushCrowd from "./PushCrowd.ts"
import * as PushMemory from "./PushMemory.ts"
import * as PushResumes from "./PushResumes.ts"
import * as PushServer from "../../servers/PushServer.ts"
import * as PushShop from "./PushShop.ts"

export interface Stage {
  readonly server: ServerProcess
  readonly shop: PushShop.PushShop
  readonly sql: Sql
}

export interface Setting {
  /** This is the URL of the server for its administrator. */
  readonly postgres: string
  readonly customers: number
  readonly lines: number
  /** Limits that no setting has; absent: the server as a user runs it. */
  readonly limits?: Environment
  /** The runtime is given these flags. */
  readonly flags?: ReadonlyArray<string>
}

/** Few orders stay in memory, so that what grows is not they. */
const settings = { RESIDENTS: "1000", ...MemoryProbe.settings }

export const onStage = async <A>(
  { flags = [], limits, postgres, ...size }: Setting,
  play: (stage: Stage) => Promise<A>
) => {
  const database = await freshDatabase(postgres)
  const [command, ...rest] = limits === undefined ? node : PushServer.command
  const server = await start({ DATABASE_URL: database.url, ...settings, ...limits }, [
    command!,
    MemoryProbe.flag,
    ...flags,
    ...rest
  ])
  const sql = open(database.url)
  try {
    return await play({ server, sql, shop: await PushShop.make(server.url, size) })
  } finally {
    await sql.close()
    await server.stop()
    await database.drop()
  }
}

/** Both transports, of all orders and of one customer's; so many connections are cut in all. */
export const resumes = async ({ shop }: Stage, cuts: number) => {
  const faults: Array<string> = []
  let events = 0
  for (const transport of ["SSE", "WebSocket"] as const) {
    for (const customer of [undefined, PushShop.customerOf(1)]) {
      const filter = customer === undefined ? {} : { customer }
      const found = await PushResumes.run(shop, { transport, cuts: cuts / 4, seed: cuts, ...filter })
      events += found.events
      faults.push(...found.faults)
    }
  }
  return { cuts, events, faults }
}

/** The crowd, and the server's memory from when it is connected until the load ends. */
export const crowd = async (
  { server, shop, sql }: Stage,
  crowd: PushCrowd.Crowd,
  bounds: PushMemory.Bounds | undefined
) => {
  const looked = () => MemoryProbe.series(server.output).length
  const cutOff = () => server.output().split("An event stream was cut off").length - 1
  let [from, to] = [0, 0]
  const { faults, ...figures } = await PushCrowd.run(shop, sql, crowd, {
    cutOff,
    onConnected: () => (from = Math.max(0, looked() - 1)),
    onLoaded: () => (to = looked())
  })
  if (bounds === undefined) return { ...figures, faults }
  const memory = PushMemory.judge(MemoryProbe.series(server.output).slice(from, to), bounds)
  return { ...figures, memory: { ...memory, faults: undefined }, faults: [...faults, ...memory.faults] }
}

/** Measures the cost of clients that never read and may stay; the same load runs before without them. */
export const deaf = async (stage: Stage, plan: PushCrowd.Crowd, bounds: PushMemory.Bounds | undefined) => {
  const without = await crowd(stage, { ...plan, deaf: 0 }, undefined)
  const { faults, ...figures } = await crowd(stage, plan, bounds)
  return { ...figures, faults: [...without.faults, ...faults] }
}
