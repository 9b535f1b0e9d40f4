/**
 * Many clients of the event streams in a process of their own, which does what the campaign tells it. A client keeps of
 * each event only its position and when it came, however many come.
 */
import { type ChildProcess, fork } from "node:child_process"
import { type End, isEvent, type Message, over, type StreamConnection, type Transport } from "./StreamConnection.ts"

export interface Asked {
  readonly transport: Transport
  /** This customer's orders are followed; all orders if absent. */
  readonly customer?: string
  /** Events after this position are sent; if absent, from now on. */
  readonly after?: number
}

export interface StreamClient extends Pick<StreamConnection, "stopReading" | "startReading" | "cut"> {
  readonly positions: Array<number>
  /** This tells when each position arrived, in milliseconds since 1970, to the microsecond. */
  readonly times: Array<number>
  /** This is the last position that the client heard of, controls included; it can go on from there. */
  readonly last: () => number | undefined
  /** So many events were said to be ahead of the view. */
  readonly ahead: () => number
  /** Faults in what the client was sent. */
  readonly faults: Array<string>
  readonly end: () => End | undefined
  /** Waits until the client has heard of this position, or its stream has ended. */
  readonly until: (position: number) => Promise<void>
}

/** All processes of a machine share this clock. */
export const now = () => performance.timeOrigin + performance.now()

const query = ({ after, customer }: Omit<Asked, "transport">) =>
  `?${new URLSearchParams({
    ...(after === undefined ? {} : { after: String(after) }),
    ...(customer === undefined ? {} : { customerId: customer })
  })}`

export const open = async (url: string, { transport, ...asked }: Asked): Promise<StreamClient> => {
  const positions: Array<number> = []
  const times: Array<number> = []
  const faults: Array<string> = []
  let last: number | undefined
  let ahead = 0
  let end: End | undefined
  const take = (message: Message) => {
    const { data, id, position } = message
    if (id !== undefined && !id.startsWith(`${position}.`)) faults.push(`id ${id} stands at position ${position}`)
    if (data.ahead === true) ahead += 1
    last = position
    if (!isEvent(message)) return
    positions.push(position)
    times.push(now())
  }
  const { ended, until, ...connection } = await over[transport](url, { query: query(asked) }, take)
  void ended.then((how) => (end = how))
  return {
    ...connection,
    positions,
    times,
    faults,
    last: () => last,
    ahead: () => ahead,
    end: () => end,
    until: async (position) => {
      if ((last ?? 0) >= position) return
      await until((message) => message.position >= position).catch(() => {})
    }
  }
}

export interface Wanted extends Asked {
  readonly name: string
  /** Stops reading as soon as it is connected. */
  readonly deaf?: boolean
}

/** This is all that a client got. */
export interface Got {
  readonly positions: ReadonlyArray<number>
  readonly times: ReadonlyArray<number>
  readonly last?: number
  readonly end?: End
  readonly ahead: number
  readonly faults: ReadonlyArray<string>
}

type Order =
  | { readonly kind: "open"; readonly url: string; readonly clients: ReadonlyArray<Wanted> }
  /** Waits until each is where it should be, or has ended; deaf ones read from now on. */
  | { readonly kind: "finish"; readonly until: ReadonlyMap<string, number>; readonly patience: number }

interface Reply {
  readonly got?: ReadonlyMap<string, Got>
  readonly failure?: string
}

const clients = new Map<string, StreamClient>()

/** Connections made at a time: few enough that none has to be made twice. */
const atOnce = 50

const openAll = async (url: string, wanted: ReadonlyArray<Wanted>) => {
  for (let from = 0; from < wanted.length; from += atOnce) {
    await Promise.all(
      wanted.slice(from, from + atOnce).map(async ({ deaf, name, ...asked }) => {
        const client = await open(url, asked)
        if (deaf === true) client.stopReading()
        clients.set(name, client)
      })
    )
  }
}

const finish = async (until: ReadonlyMap<string, number>, patience: number) => {
  const deadline = performance.now() + patience
  const got = new Map<string, Got>()
  for (const name of until.keys()) clients.get(name)?.startReading()
  for (const [name, position] of until) {
    const client = clients.get(name)
    if (client === undefined) continue
    const late = new Promise((resolve) => setTimeout(resolve, deadline - performance.now()).unref())
    await Promise.race([client.until(position), late])
    const { faults, positions, times } = client
    const [last, end] = [client.last(), client.end()]
    got.set(name, {
      positions: [...positions],
      times: [...times],
      ahead: client.ahead(),
      faults,
      ...(last === undefined ? {} : { last }),
      ...(end === undefined ? {} : { end })
    })
    client.cut()
    clients.delete(name)
  }
  return got
}

const obey = async (order: Order): Promise<Reply> => {
  switch (order.kind) {
    case "open":
      await openAll(order.url, order.clients)
      return {}
    case "finish":
      return { got: await finish(order.until, order.patience) }
  }
}

if (process.argv[2] === "clients" && process.send !== undefined) {
  process.on("message", (order: Order) => {
    obey(order).then(
      (reply) => process.send!(reply),
      (cause) => process.send!({ failure: String(cause) } satisfies Reply)
    )
  })
  process.on("disconnect", () => process.exit())
}

export interface ClientProcess {
  readonly open: (url: string, clients: ReadonlyArray<Wanted>) => Promise<void>
  readonly finish: (until: ReadonlyMap<string, number>, patience: number) => Promise<ReadonlyMap<string, Got>>
  readonly stop: () => void
}

const ask = (child: ChildProcess, order: Order) =>
  new Promise<Reply>((resolve, reject) => {
    const onExit = () => reject(new Error("the process of the clients ended"))
    child.once("exit", onExit)
    child.once("message", (reply: Reply) => {
      child.off("exit", onExit)
      if (reply.failure === undefined) resolve(reply)
      else reject(new Error(reply.failure))
    })
    child.send(order)
  })

/** One order at a time. */
export const start = (): ClientProcess => {
  const child = fork(import.meta.filename, ["clients"], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    serialization: "advanced"
  })
  return {
    open: async (url, clients) => void (await ask(child, { kind: "open", url, clients })),
    finish: async (until, patience) => (await ask(child, { kind: "finish", until, patience })).got ?? new Map(),
    stop: () => child.kill()
  }
}
