/**
 * Implements `Projections` over the store: one read tells how all of them are, together with what the runners of this
 * process know.
 */
import { Effect, Layer, Struct } from "effect"
import { changeOrUnavailable, changeWithinSeconds, orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import * as Checkpoint from "./Checkpoint.ts"
import * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
import * as TokenWait from "./consistency/TokenWait.ts"
import { ProjectionProgress, type ProjectionStatus } from "./consistency/ProjectionProgress.ts"
import { type Consumer, findProjection, isSubscription } from "./Projection.ts"
import { RewindRefused } from "./ProjectionErrors.ts"
import { type ProjectionInfo, Projections } from "./Projections.ts"
import { type ProjectionRow, ProjectionStore } from "./store/ProjectionStore.ts"

const near = 100n

/**
 * Says why a projection can't go on: gives the problem on record, or else the one that the process which runs the
 * projection is going to find. Gives `undefined` if the projection can go on.
 */
const problemOf = (row: ProjectionRow, own: Consumer): string | undefined => {
  const { checkpointLogId, head, isGivenUp, isOfHistory, logId, name, position, rebuildId, version } = row
  if (row.problem !== undefined || checkpointLogId === undefined || version === undefined) return row.problem
  const problem =
    Checkpoint.problemOf({ checkpointLogId, head, isOfHistory, logId, position }) ??
    (version > own.version ? Checkpoint.otherVersion(version) : undefined)
  if (problem !== undefined) return Checkpoint.rebuildDemanded(name, problem).message
  if (version >= own.version) return undefined
  if (row.isBlocked && row.rebuildProblem !== undefined) return row.rebuildProblem
  return rebuildId === undefined && isGivenUp
    ? `The view is of version ${version}, and the rebuild that makes it one of version ${own.version} was aborted; ` +
        `rebuild it (POST /admin/projections/${name}/rebuild) to have version ${own.version}.`
    : undefined
}

/**
 * Combines what any process can read in the row with the trouble that only the process which runs it knows of. Only what
 * is on record is `stopped`: a runner that has stopped, and has no problem on record, tries again within a second.
 */
const statusOf = (row: ProjectionRow, own: Consumer, known: ProjectionStatus | undefined): ProjectionStatus => {
  const { head, paused, position, rebuildId, version } = row
  const local = known === "stopped" ? "retrying" : known
  if (version === undefined) return local === "retrying" ? local : "starting"
  if (problemOf(row, own) !== undefined) return "stopped"
  if (paused === true) return "paused"
  const isWrong = local === "retrying"
  if (rebuildId !== undefined && (!isWrong || version !== own.version)) return "rebuilding"
  if (isWrong || local === "starting") return local
  return head - position <= near || local === "live" ? "live" : "catching-up"
}

const internals = [
  "logId",
  "checkpointLogId",
  "isOfHistory",
  "paused",
  "rebuildProblem",
  "isBlocked",
  "isGivenUp"
] as const

const toInfo = (row: ProjectionRow, own: Consumer, local: ProjectionStatus | undefined): ProjectionInfo => {
  const problem = problemOf(row, own) ?? row.rebuildProblem
  return {
    ...Struct.omit(row, internals),
    kind: isSubscription(own) ? "subscription" : "projection",
    version: row.version ?? own.version,
    status: statusOf(row, own, local),
    ...(problem === undefined ? {} : { problem })
  }
}

const make = Effect.fnUntraced(function* (consumers: () => ReadonlyArray<Consumer>) {
  const store = yield* ProjectionStore
  const log = yield* EventStore
  const { logId } = yield* log.head
  const progress = yield* ProjectionProgress

  const setPaused = Effect.fnUntraced(function* (name: string, paused: boolean) {
    yield* findProjection(consumers(), name)
    yield* store.setPaused(name, paused).pipe(changeOrUnavailable, changeWithinSeconds(6))
    yield* Effect.logInfo(`The projection is ${paused ? "paused" : "resumed"}.`, { projection: name })
  })

  return Projections.of({
    list: Effect.gen(function* () {
      const known = consumers()
      const infos: Array<ProjectionInfo> = []
      for (const row of yield* store.rows(known).pipe(orUnavailable, withinSeconds(6))) {
        const consumer = known.find(({ name }) => name === row.name)
        if (consumer !== undefined) infos.push(toInfo(row, consumer, yield* progress.status(consumer)))
      }
      return infos
    }),
    pause: Effect.fn("Projections.pause")((name: string) => setPaused(name, true)),
    resume: Effect.fn("Projections.resume")((name: string) => setPaused(name, false)),
    rewind: Effect.fn("Projections.rewind")(function* (name, to) {
      const consumer = yield* findProjection(consumers(), name)
      if (!isSubscription(consumer)) {
        return yield* new RewindRefused({ name, problem: "it is a projection, whose rows would get events twice" })
      }
      yield* store.rewind(name, to).pipe(changeOrUnavailable, changeWithinSeconds(6))
      progress.forget(consumer)
      yield* Effect.logInfo(`The subscription is moved: it goes on from ${to}.`, { projection: name })
    }),
    awaitToken: Effect.fn("Projections.awaitToken")(function* (name, token, { streamId, wait } = {}) {
      const consumer = yield* findProjection(consumers(), name)
      const reached = yield* TokenWait.awaitIn(log, logId, {
        position: progress.position(consumer),
        awaitPosition: (position) => progress.awaitPosition(consumer, position)
      })(token, wait)
      yield* ConsistencyToken.verify(log, logId, reached)
      const required = reached.position
      if (streamId === undefined) return
      const parkedAt = yield* store.shared.parked.parkedAt(name, streamId).pipe(orUnavailable, withinSeconds(6))
      if (parkedAt !== undefined && parkedAt <= required) {
        return yield* ConsistencyToken.ProjectionBehind.parked(required, parkedAt)
      }
    })
  })
})

/** Offers these projections and subscriptions, whichever process runs them. */
export const layer = (consumers: () => ReadonlyArray<Consumer>) => Layer.effect(Projections, make(consumers))
