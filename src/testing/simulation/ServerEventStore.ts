/**
 * The event store of one node of a simulation: the kernel's own group commit, lanes, signal and batched reads, over sessions
 * of the simulated database. It does what `SqlEventStore` does, with the same time limits.
 */
import { DateTime, Duration, Effect, Layer, Option, Queue } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Snapshots } from "../../aggregate/Snapshots.ts"
import * as BatchedReads from "../../database/BatchedReads.ts"
import * as GroupCommit from "../../eventstore/append/GroupCommit.ts"
import * as LogWriter from "../../eventstore/append/LogWriter.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import type { Channel } from "../../eventstore/tail/LogSignal.ts"
import type { Server } from "./Server.ts"
import type { Process } from "./World.ts"

const lanes = 2

const make = Effect.fnUntraced(function* (server: Server, process: Process) {
  const { log, sessions } = server
  const session = Effect.acquireRelease(sessions.connect(process), (session) =>
    Effect.sync(() => sessions.close(session))
  )
  const connect = Effect.map(
    session,
    (session) => (batch: Parameters<Server["append"]>[0]) => sessions.execute(session, () => server.append(batch))
  )
  const listen = Effect.gen(function* () {
    const queue = yield* Queue.unbounded<{ readonly payload: string }, SqlError>()
    const end = server.listen(yield* session, queue)
    yield* Effect.addFinalizer(() => Effect.sync(end))
    return queue
  })
  const channel: Channel = { listen, notify: (text) => sessions.query(process, () => server.notify(text)) }
  const { append, grown, onAppended } = yield* LogWriter.make(
    { lanes, connect, channel: Option.some(channel) },
    GroupCommit.defaultLimits
  )
  const read = <A>(evaluate: () => A) => sessions.query(process, evaluate)
  const currentVersion = yield* BatchedReads.make((streamIds: ReadonlyArray<string>) =>
    read(() => streamIds.map(log.currentVersion))
  )
  return EventStore.of({
    append,
    readStream: (streamId, { after, limit }) => read(() => log.readStream(streamId, after, limit)),
    readAll: ({ after, limit }) => read(() => log.readAll(after, limit)),
    currentVersion,
    findCommand: (commandId) => read(() => log.findCommand(commandId)),
    forgetCommands: (age, limit) =>
      read(() => {
        const now = server.process.wallTime
        const before = DateTime.formatIso(DateTime.makeUnsafe(now - Duration.toMillis(age)))
        return log.forgetCommands(before, limit, now / 1000)
      }),
    head: read(() => ({ logId: "simulated", position: BigInt(log.events.length) })),
    writable: Effect.asVoid(read(() => undefined)),
    grown,
    onAppended,
    soleWriter: false
  })
})

/** Provides the event store and the snapshots that a node has. */
export const layer = (server: Server, process: Process): Layer.Layer<EventStore | Snapshots> => {
  const query = <A>(evaluate: () => A) => server.sessions.query(process, evaluate)
  const snapshots = Snapshots.of({
    load: (streamId) => query(() => server.loadSnapshot(streamId)),
    save: (streamId, snapshot) => query(() => server.saveSnapshot(streamId, snapshot))
  })
  return Layer.merge(Layer.effect(EventStore, make(server, process)), Layer.succeed(Snapshots, snapshots))
}
