/**
 * Runs a program once in a simulated world: nodes over one database, clients that run the program, and faults that strike at
 * random. Then everything is mended, and whatever was left must come to an end. All that is wrong becomes a finding.
 */
import { Array as Arr, Duration, Effect, Exit, Fiber, Layer, Schedule, Stream } from "effect"
import { type AggregateLimits, defaults } from "../../aggregate/AggregateLimits.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as AnswerChecks from "./AnswerChecks.ts"
import * as Clients from "./Client.ts"
import { Consumers } from "./consumers/Consumers.ts"
import * as Faults from "./Faults.ts"
import * as History from "./History.ts"
import * as LogChecks from "./LogChecks.ts"
import { contextOf, Node } from "./Node.ts"
import * as Requests from "./Requests.ts"
import { Server } from "./Server.ts"
import { Stuck, World } from "./World.ts"

export type Program = Effect.Effect<unknown, never, Clients.Client>

export interface Settings {
  /** There are so many nodes, or one less: a run with fewer gets on faster. */
  readonly nodes: number
  /** So many clients run the program at the same time. */
  readonly clients: number
  readonly faults: ReadonlyArray<Faults.Fault>
  /**
   * In a part of the runs, the nodes run a projection and a subscription as well, which follow the events of these
   * categories.
   */
  readonly follow: ReadonlyArray<string>
  /** What clients ask for after so many requests, all together, is not sent. */
  readonly requests: number
}

export interface RunResult {
  readonly seed: number
  /** It is the same for two runs in which the same things happened in the same order. */
  readonly hash: string
  readonly findings: ReadonlyArray<string>
  /** The faults that could strike: those of the settings that the seed drew. */
  readonly faults: ReadonlyArray<Faults.Fault>
  readonly requests: number
  readonly events: number
  readonly steps: number
  /** Milliseconds of the simulated world. */
  readonly time: number
}

/** Limits under which actors come and go, and drains are cut, within a short run. */
const tight: AggregateLimits = {
  ...defaults,
  residents: 2,
  drain: 2,
  idle: Duration.millis(400),
  concurrentActivations: 1,
  shutdown: Duration.seconds(3)
}

/** After so many milliseconds without faults at the latest, everybody knows everything. */
const quiet = 30_000

/** Runs the program with a seed. `tell` is given each thing that happens, as a line of text. */
export const run = (program: Program, seed: number, settings: Settings, tell?: (line: string) => void): RunResult => {
  // Thousands of failures are made and handled, and nobody looks at where.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return runWorld(program, seed, settings, tell)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const runWorld = (program: Program, seed: number, settings: Settings, tell?: (line: string) => void): RunResult => {
  const world = new World(seed, tell)
  const faults = Faults.make(world, settings.faults)
  const history = History.make()
  const { findings } = history
  const report = (finding: string) => void findings.push(finding)
  const server = new Server(world, faults)
  const process = world.spawn("clients")
  const moment = (): History.Moment => ({ time: world.now, position: server.log.events.length })
  const limits = world.chance(0.5) ? tight : { ...defaults, shutdown: tight.shutdown }
  const isFollowed = world.chance(0.25) && settings.follow.length > 0
  const consumers = isFollowed ? new Consumers(server, settings.follow, report) : undefined
  const nodes: Array<Node> = []

  /** Follows the log in a node, as subscribers and projections do, and compares it with the log at once. */
  const follow = (node: Node) => {
    const position = world.chance(0.5) ? 0n : BigInt(world.below(server.log.events.length + 1))
    const follower: History.Follower = { node: node.process.name, position, isAlive: true }
    history.followers.push(follower)
    const gone = () => {
      follower.isAlive = false
    }
    node.callers.add(gone)
    const take = (page: ReadonlyArray<(typeof server.log.events)[number]>) => {
      for (const event of page) {
        const stored = server.log.events[Number(event.position) - 1]
        if (event.position !== follower.position + 1n) {
          report(`${follower.node} was handed position ${event.position} of the log after ${follower.position}`)
        }
        if (stored?.eventId !== event.eventId) report(`${follower.node} was handed an event that is not in the log`)
        follower.position = event.position
      }
    }
    const pages = Stream.unwrap(Effect.map(LogTail, (tail) => tail.pages(follower.position)))
    const followed = Stream.runForEach(pages, (page) => Effect.sync(() => take(page))).pipe(
      Effect.retry(Schedule.spaced(100))
    )
    node.run(followed, (exit) => {
      if (Exit.isFailure(exit) && !node.isStopping) report(`A follower of the log died: ${String(exit.cause)}`)
    })
  }

  const startNode = (index: number) => {
    const node = new Node(world, server, `node ${index + 1}`, {
      limits,
      report,
      consumers: (process) => consumers?.layer(process) ?? Layer.empty
    })
    nodes[index] = node
    node.start(() => {
      follow(node)
      follow(node)
    })
  }

  const strikeNode = (index: number) => {
    const node = nodes[index]!
    if (node.process.isPaused || !node.process.isAlive || node.isStopping) return
    const startLater = () => world.after(process, world.random() * 1_000, () => startNode(index))
    if (faults.strikes("crash", 0.5)) {
      node.crash()
      startLater()
    } else if (faults.strikes("restart", 0.3) && node.isServing) node.stop(startLater)
    else if (faults.strikes("pause", 0.5)) {
      node.pause()
      world.after(process, world.random() * (world.chance(0.3) ? 8_000 : 1_000), () => node.resume())
    } else if (faults.strikes("clock", 0.5)) node.process.wallOffset = (world.random() - 0.5) * 7_200_000
  }

  const strike = () => {
    if (faults.strikes("connection", 0.3)) server.sessions.loseOne()
    if (faults.strikes("outage", 0.1)) server.sessions.goAway()
    if (faults.strikes("clock", 0.1)) server.process.wallOffset = (world.random() - 0.5) * 7_200_000
    strikeNode(world.below(nodes.length))
  }

  const mend = () => {
    world.note(process, "from here on nothing goes wrong")
    faults.end()
    server.sessions.comeBack()
    for (const node of nodes) node.resume()
  }

  const requests = Requests.make(process, history, faults, moment)
  const around = { process, history, faults, requests, nodes, limit: settings.requests }
  const context = contextOf(process, report)

  const main = Effect.gen(function* () {
    yield* Effect.repeat(Effect.sleep(20), { until: () => nodes.every(({ isServing }) => isServing) })
    const clients = yield* Effect.forEach(Arr.range(1, settings.clients), (number) => {
      const { client } = Clients.make(around, number - 1)
      return Effect.forkChild(Effect.provideService(program, Clients.Client, client))
    })
    const striking = yield* Effect.forkChild(
      Effect.forever(Effect.suspend(() => Effect.delay(Effect.sync(strike), world.random() * 1_200)))
    )
    yield* Fiber.joinAll(clients)
    yield* Fiber.interrupt(striking)
    mend()
    const isQuiet = () =>
      consumers?.areDone !== false &&
      server.sessions.areQuiet &&
      nodes.every(({ isServing, isStopping }) => isServing && !isStopping) &&
      history.followers.every(({ isAlive, position }) => !isAlive || Number(position) === server.log.events.length)
    const until = world.now + quiet
    yield* Effect.repeat(Effect.sleep(100), { until: () => isQuiet() || world.now > until })
    for (const { isAlive, node, position } of history.followers) {
      const end = server.log.events.length
      if (isAlive && Number(position) !== end)
        report(`${node} was handed the log up to ${position}, which ends at ${end}`)
    }
    consumers?.end()
    const { read } = Clients.make(around, 0)
    const streams = new Map(history.commands.map(({ aggregate, streamId }) => [streamId, aggregate]))
    for (const node of nodes) {
      if (!node.isServing) report(`${node.process.name} does not serve, though nothing is wrong any more`)
      for (const [streamId, aggregate] of streams) {
        const id = streamId.slice(aggregate.category.length + 1)
        const state = node.isServing ? yield* read(aggregate, id, node) : undefined
        if (state === undefined) report(`${node.process.name} can't read ${streamId}, though nothing is wrong any more`)
      }
    }
  })

  const count = settings.nodes - (world.chance(0.5) || isFollowed ? 1 : 0) || 1
  for (let index = 0; index < count; index++) startNode(index)
  let isOver = false
  world.add(process, () => {
    const fiber = Effect.runForkWith(context)(main)
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) report(`The program died: ${String(exit.cause)}`)
      isOver = true
    })
  })
  try {
    world.run(() => isOver)
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
    const open = history.commands.flatMap(({ attempts, id }) => (attempts.at(-1)?.ended === undefined ? [id] : []))
    report(`${error.message}; without an answer: ${open.join() || "none"}`)
  }

  const log = LogChecks.readLog(server.log.events)
  const batches = LogChecks.check(log, history.commands, report)
  AnswerChecks.checkCommands(log, history.commands, batches, report)
  for (const read of history.reads) AnswerChecks.checkRead(log, read, report)
  return {
    seed,
    hash: world.hash,
    findings,
    faults: [...faults.on],
    requests: history.commands.length + history.reads.length,
    events: server.log.events.length,
    steps: world.steps,
    time: world.now
  }
}
