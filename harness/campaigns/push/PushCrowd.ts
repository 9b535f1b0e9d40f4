/**
 * Many clients of a server's event streams under a steady load, from other processes: what each got is compared with
 * the log as it is stored.
 */
import * as Measurement from "../../bench/Measurement.ts"
import type { Transport } from "../../streams/StreamConnection.ts"
import type { Sql } from "../../servers/Sql.ts"
import * as OpenLoop from "../../clients/OpenLoop.ts"
import * as StreamClients from "../../streams/StreamClients.ts"
import { customerOf, difference, logged, type LoggedEvent, type PushShop } from "./PushShop.ts"

export interface Crowd extends OpenLoop.Pace {
  /** So many clients follow one customer each. */
  readonly sse: number
  readonly ws: number
  /** So many clients follow all orders, over both transports in turn. */
  readonly unfiltered: number
  /** So many clients of all orders do not read until the load has ended. */
  readonly deaf: number
  /** True if the deaf clients have to be cut off; the load then goes on until they are. */
  readonly isCutOff: boolean
  readonly customers: number
  /** The clients are spread over so many processes. */
  readonly processes: number
}

/** Those who go on after they were cut off read all the rest of the log, on the same few cores. */
const patience = 300_000

/** The number of clients not cut off that are checked; to read what all of them missed would take too long. */
const sample = 10

const either = (index: number): Transport => (index % 2 === 0 ? "SSE" : "WebSocket")

const wanted = (
  { customers, deaf, sse, unfiltered, ws }: Crowd,
  after: number
): ReadonlyArray<StreamClients.Wanted> => {
  const some = (count: number, make: (index: number) => StreamClients.Wanted) =>
    Array.from({ length: count }, (_, i) => make(i))
  const one = (transport: Transport, customer: string) => ({
    name: `${transport} ${customer}`,
    transport,
    customer,
    after
  })
  return [
    ...some(sse, (index) => one("SSE", customerOf(index % customers))),
    ...some(ws, (index) => one("WebSocket", customerOf((sse + index) % customers))),
    ...some(unfiltered, (index) => ({ name: `${either(index)} all ${index}`, transport: either(index), after })),
    ...some(deaf, (index) => ({ name: `${either(index)} deaf ${index}`, transport: either(index), after, deaf: true }))
  ]
}

/** Checks that a deaf client got the beginning of the log before it was cut off, and was told where to go on. */
const judgeDeaf = (name: string, { end, last, positions }: StreamClients.Got, all: ReadonlyArray<number>) => {
  if (end === undefined) return [`${name} never read and was not cut off`]
  const told = /^slow consumer; resume after (\d+)\.[0-9a-f]{12}$/.exec(end.reason)?.[1]
  return [
    ...difference(name, positions, all.slice(0, positions.length)),
    ...(positions.length < all.length ? [] : [`${name} got everything, so it was never behind`]),
    ...(end.code !== 4008 || Number(told) === last ? [] : [`${name} was told "${end.reason}", its last was ${last}`])
  ]
}

const latencies = (got: Iterable<StreamClients.Got>, since: ReadonlyMap<number, number>) =>
  [...got].flatMap(({ positions, times }) =>
    positions.flatMap((position, index) => {
      const began = since.get(position)
      return began === undefined ? [] : [Math.max(0, times[index]! - began)]
    })
  )

/** Counts the ends of the deaf clients' connections by their code. */
const ends = (deaf: Iterable<StreamClients.Got>) => {
  const counts: Record<string, number> = {}
  for (const { end } of deaf) {
    const how = end === undefined ? "open" : String(end.code)
    counts[how] = (counts[how] ?? 0) + 1
  }
  return counts
}

export interface Watch {
  /** The server says that it has cut off so many connections by now. */
  readonly cutOff?: () => number
  /** Called when all are connected; memory is looked at from then on until `onLoaded`. */
  readonly onConnected?: () => void
  readonly onLoaded?: () => void
}

export const run = async (
  shop: PushShop,
  sql: Sql,
  crowd: Crowd,
  { cutOff = () => 0, onConnected = () => {}, onLoaded = () => {} }: Watch = {}
) => {
  const processes = Array.from({ length: crowd.processes }, StreamClients.start)
  const spread = <A>(items: ReadonlyArray<A>) =>
    processes.map((process, index) => [process, items.filter((_, at) => at % crowd.processes === index)] as const)
  const openAll = (clients: ReadonlyArray<StreamClients.Wanted>) =>
    Promise.all(spread(clients).map(([process, some]) => process.open(shop.url, some)))
  const finishAll = async (names: ReadonlyArray<string>, until: (name: string) => number) => {
    const all = await Promise.all(
      processes.map((process) => process.finish(new Map(names.map((name) => [name, until(name)])), patience))
    )
    const got = new Map<string, StreamClients.Got>()
    for (const some of all) for (const [name, one] of some) got.set(name, one)
    return got
  }

  try {
    const before = shop.last()
    const clients = wanted(crowd, before)
    await openAll(clients)
    onConnected()
    const paced = await OpenLoop.run(crowd, shop.command, () => !crowd.isCutOff || cutOff() >= crowd.deaf)
    onLoaded()
    const log: ReadonlyArray<LoggedEvent> = await logged(sql, before)
    const positions = (customer?: string) =>
      log.filter((event) => customer === undefined || event.customer === customer).map(({ position }) => position)
    const all = positions()

    const slices = new Map(
      clients.flatMap(({ customer, deaf, name }) => (deaf === true ? [] : [[name, positions(customer)] as const]))
    )
    const readers = await finishAll([...slices.keys()], (name) => slices.get(name)!.at(-1) ?? 0)
    const faults: Array<string> = []
    for (const [name, slice] of slices) {
      const got = readers.get(name)!
      faults.push(...got.faults.slice(0, 3), ...difference(name, got.positions, slice))
    }

    const stuck = clients.flatMap(({ deaf, name }) => (deaf === true ? [name] : []))
    const deaf = await finishAll(stuck.slice(0, crowd.isCutOff ? stuck.length : sample), () => all.at(-1) ?? 0)
    const again = [...deaf].map(([name, { last }]) => ({
      name,
      transport: name.startsWith("SSE") ? ("SSE" as const) : ("WebSocket" as const),
      after: last ?? before
    }))
    await openAll(again)
    const rest = await finishAll([...deaf.keys()], () => all.at(-1) ?? 0)
    for (const [name, got] of deaf) {
      if (crowd.isCutOff) faults.push(...judgeDeaf(name, got, all))
      else if (got.end !== undefined) faults.push(`${name} was cut off`)
      faults.push(...difference(`${name}, resumed`, [...got.positions, ...rest.get(name)!.positions], all))
    }

    const recorded = new Map(log.map(({ position, recorded }) => [position, recorded]))
    return {
      faults,
      load: paced,
      events: log.length,
      /** Pushed before the view had them: it was behind for seconds, as when a machine has too much to do. */
      ahead: [...readers.values()].reduce((sum, { ahead }) => sum + ahead, 0),
      pushes: [...readers.values()].reduce((sum, { positions }) => sum + positions.length, 0),
      deafEnded: ends(deaf.values()),
      millis: {
        fromAnswer: Measurement.percentiles(latencies(readers.values(), shop.answered)),
        fromRecorded: Measurement.percentiles(latencies(readers.values(), recorded))
      }
    }
  } finally {
    for (const { stop } of processes) stop()
  }
}

/** One command at a time, and one client of each transport. */
export const alone = async (shop: PushShop, sql: Sql, commands: number) => {
  const clients = StreamClients.start()
  try {
    const before = shop.last()
    const names = ["SSE", "WebSocket"] as const
    await clients.open(
      shop.url,
      names.map((transport) => ({ name: transport, transport, after: before }))
    )
    const began = StreamClients.now()
    for (let index = 0; index < commands; index++) await shop.command(index)
    const perSecond = Math.round((commands / (StreamClients.now() - began)) * 1000)
    const log = await logged(sql, before)
    const all = log.map(({ position }) => position)
    const recorded = new Map(log.map(({ position, recorded }) => [position, recorded]))
    const got = await clients.finish(new Map(names.map((name) => [name, all.at(-1)!])), patience)
    const of = (transport: Transport) => ({
      fromAnswer: Measurement.percentiles(latencies([got.get(transport)!], shop.answered)),
      fromRecorded: Measurement.percentiles(latencies([got.get(transport)!], recorded))
    })
    return {
      faults: names.flatMap((name) => difference(name, got.get(name)!.positions, all)),
      perSecond,
      millis: { SSE: of("SSE"), WebSocket: of("WebSocket") }
    }
  } finally {
    clients.stop()
  }
}
