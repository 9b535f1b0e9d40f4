/**
 * Runs a projection for as long as the process lives, while it holds the lease; otherwise it stands by.
 *
 * Every end of an attempt leads to a new one that starts from the committed checkpoint: after a lost race soon, after a
 * failure with backoff. Only a checkpoint that is not of this log, or a handler that fails for everything, stops it; it
 * goes on once an operator has put that right (by a rebuild or `resume`).
 */
import { Cause, Effect, Layer, Random } from "effect"
import { backoff, withinSeconds } from "../../database/SqlFailure.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as Checkpoint from "../Checkpoint.ts"
import { ProjectionProgress, type ProjectionStatus } from "../consistency/ProjectionProgress.ts"
import { type CheckpointKey, type Consumer, isSubscription } from "../Projection.ts"
import * as StoredParkedStreams from "../parking/StoredParkedStreams.ts"
import { type ProjectionSession, ProjectionStore } from "../store/ProjectionStore.ts"
import * as BatchSize from "./BatchSize.ts"
import * as PoisonEvents from "./PoisonEvents.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"
import * as ProjectionWork from "./ProjectionWork.ts"
import * as UuidV7 from "../../eventstore/UuidV7.ts"

/** A projection is `live` from so few events behind the head on, and `catching-up` again with more than so many. */
const liveWithin = 100
const liveUntil = 2_000

const standbyPoll = "250 millis"

type Next = "again" | "stop"

/** Reports why an attempt or a batch failed. */
const reportTo = (outage: OutageLog.OutageLog) => (cause: Cause.Cause<unknown>) =>
  outage.failed(ProjectionFailure.reasonOf(cause), ProjectionFailure.kind(cause) === "defect" ? cause : undefined)

/** Repeats attempts until one stops. An attempt calls `markAdvanced` when it has applied something. */
export const supervised = <R>(
  attempt: (markAdvanced: () => void) => Effect.Effect<unknown, ProjectionFailure.Failure, R>,
  options: {
    readonly becomes: (status: ProjectionStatus) => void
    readonly outage: OutageLog.OutageLog
    readonly stopped: (problem: string) => Effect.Effect<void>
  }
) =>
  Effect.suspend(() => {
    let hasAdvanced = false

    /** After a failure, goes on at once if there was progress; otherwise fails, so that the next attempt waits. */
    const retryOrStop = Effect.fnUntraced(function* (cause: Cause.Cause<ProjectionFailure.Failure>) {
      const againOrLater = hasAdvanced ? Effect.succeed<Next>("again") : Effect.fail("later" as const)
      hasAdvanced = false
      switch (ProjectionFailure.kind(cause)) {
        case "interrupted":
          return yield* Effect.interrupt
        case "moved":
          yield* Effect.sleep(yield* Random.nextIntBetween(5, 50))
          return "again" as const
        case "stopped": {
          const error = Cause.squash(cause)
          const problem = error instanceof Error ? error.message : String(error)
          options.becomes("stopped")
          yield* options.stopped(problem)
          yield* Effect.logError(problem)
          return "stop" as const
        }
        case "transient":
        case "slow":
        case "environment":
        case "defect":
          options.becomes("retrying")
          yield* reportTo(options.outage)(cause)
          return yield* againOrLater
      }
    })
    const markAdvanced = () => {
      hasAdvanced = true
    }
    return Effect.suspend(() => attempt(markAdvanced)).pipe(
      Effect.as<Next>("again"),
      Effect.catchCause(retryOrStop),
      Effect.retry(backoff),
      Effect.repeat({ until: (next) => next === "stop" })
    )
  })

const kindOf = (consumer: Consumer) => (isSubscription(consumer) ? "subscription" : "projection")

/** Runs a projection or a subscription; ends only when it has stopped. */
export const run = Effect.fnUntraced(function* (projection: Consumer) {
  const store = yield* ProjectionStore
  const tail = yield* LogTail
  const progress = yield* ProjectionProgress
  const owner = UuidV7.make()
  const key: CheckpointKey = { name: projection.name, version: projection.version, slot: "live" }
  const kind = kindOf(projection)
  const size = BatchSize.make(store.maxBatch)
  const poison = PoisonEvents.make()
  const outage = OutageLog.make(`The ${kind} ${projection.name}`)
  let isLive = false
  let reported = -1n
  let hasTriedUnknown = false

  const failures = yield* Metrics.projectionFailures
  failures.prepare(projection.name)

  const becomes = (status: ProjectionStatus) => {
    if (status === "retrying" || status === "stopped") failures(1, projection.name)
    // Nobody may rely on a checkpoint of history that was lost; what still holds of it is read again.
    if (status === "stopped") progress.forget(projection)
    progress.becomes(projection, status)
  }

  /** Reports a committed checkpoint. While attempts fail, one that has not moved is no sign that they succeed again. */
  const report = ({ head, position }: Checkpoint.Checkpoint) =>
    Effect.suspend(() => {
      isLive = head - position <= (isLive ? liveUntil : liveWithin)
      progress.committed(projection, position)
      const isMoving = position > reported || position >= head
      reported = position
      if (outage.isFailing() && !isMoving) return Effect.void
      becomes(isLive ? "live" : "catching-up")
      return outage.works
    })

  /** An older version made the live table: it serves, unchanged, until a rebuild for this version takes its place. */
  const awaitRebuild = Effect.fnUntraced(function* (session: ProjectionSession, version: number) {
    if (version > projection.version || isSubscription(projection) || projection.tables === undefined) {
      return yield* Checkpoint.rebuildDemanded(projection.name, Checkpoint.otherVersion(version))
    }
    becomes("rebuilding")
    if (yield* session.requestRebuild(projection)) {
      yield* Effect.logInfo(`The view is of version ${version}; one of version ${projection.version} is being built.`)
    }
    yield* Effect.sleep(standbyPoll)
  })

  /** Fails soon after rows that are kept elsewhere are lost, replaced or away, and not only with the next event. */
  const keepFit: Effect.Effect<never, ProjectionFailure.Failure> =
    isSubscription(projection) || projection.elsewhere === undefined
      ? Effect.never
      : Effect.gen(function* () {
          yield* Effect.sleep("1 second")
          const now = yield* withinSeconds(6)(store.shared.stored(key))
          if (now?.owner === owner && now.version === key.version) {
            yield* withinSeconds(6)(store.shared.fit(projection, "live", now))
          }
        }).pipe(Effect.forever)

  const step = Effect.fnUntraced(function* (session: ProjectionSession, markAdvanced: () => void) {
    const start = yield* withinSeconds(6)(session.stored(key))
    if (start === undefined) return yield* withinSeconds(6)(session.setUp(projection))
    if (start.version !== projection.version) return yield* awaitRebuild(session, start.version)
    const problem = Checkpoint.problemOf(start)
    if (problem !== undefined) return yield* Checkpoint.rebuildDemanded(projection.name, problem)
    if (!(yield* tail.isReading)) {
      becomes("retrying")
      yield* outage.failed("this process can't read the log at present, so others may run the projection")
      return yield* Effect.sleep(standbyPoll)
    }
    const isOurs = yield* withinSeconds(6)(session.takeLease(key, owner))
    if (isOurs && !start.paused) yield* withinSeconds(6)(session.fit(projection, "live", start))
    yield* report(start)
    if (start.paused) becomes("paused")
    if (start.paused || !isOurs) return yield* Effect.sleep(standbyPoll)
    // A lease that went to others and came back is a new one, too.
    if (!hasTriedUnknown || start.owner !== owner) {
      hasTriedUnknown = false
      const retry = StoredParkedStreams.retryUnknown(session, projection)
      yield* Effect.raceFirst(retry, ProjectionWork.keepLease(session, tail, { key, owner }))
      hasTriedUnknown = true
    }
    if (start.owner !== owner) {
      yield* Effect.logInfo(`The ${kind} runs in this process from here on, by lease ${owner}.`)
    }
    if (isSubscription(projection) && projection.begin !== undefined) yield* projection.begin
    const onCheckpoint = (checkpoint: Checkpoint.Checkpoint) =>
      Effect.suspend(() => {
        if (checkpoint.position > start.position) markAdvanced()
        return report(checkpoint)
      })
    const onTrouble = (cause: Cause.Cause<unknown>) =>
      Effect.suspend(() => {
        becomes("retrying")
        return reportTo(outage)(cause)
      })
    const whenAwaited = progress.whenAwaited(projection)
    const work = { projection, key, owner, size, poison, onCheckpoint, onTrouble, whenAwaited }
    const beside = (isSubscription(projection) ? projection.beside : undefined) ?? Effect.never
    yield* Effect.raceAllFirst([ProjectionWork.follow(session, tail, work, start), beside, keepFit])
  })

  const inSession: typeof store.withSession = (use) =>
    isSubscription(projection) && projection.isShared ? use(store.shared) : store.withSession(use)

  becomes("starting")
  return yield* supervised((markAdvanced) => inSession((session) => Effect.forever(step(session, markAdvanced))), {
    becomes,
    outage,
    stopped: (problem) => store.shared.stop(key, problem).pipe(withinSeconds(6), Effect.ignore)
  }).pipe(
    Effect.ensuring(store.shared.releaseLease(key, owner).pipe(withinSeconds(2), Effect.ignore)),
    Effect.annotateLogs({ projection: projection.name })
  )
})

/** Waits until an operator has put right what stopped the projection. */
const awaitPutRight = Effect.fnUntraced(function* (projection: Consumer) {
  const { shared } = yield* ProjectionStore
  const isPutRight = shared.stored({ name: projection.name, slot: "live" }).pipe(
    withinSeconds(6),
    Effect.map((row) => row === undefined || (row.problem === null && row.version <= projection.version)),
    Effect.orElseSucceed(() => false)
  )
  return yield* Effect.delay(isPutRight, "1 second").pipe(Effect.repeat({ until: (isRight) => isRight }))
})

/** Runs the projection or subscription in the background until the scope closes. */
export const start = (projection: Consumer) =>
  supervise(
    `${kindOf(projection)} ${projection.name}`,
    Effect.forever(Effect.andThen(run(projection), awaitPutRight(projection)))
  )

export const layer = (
  projection: Consumer
): Layer.Layer<never, never, ProjectionStore | LogTail | ProjectionProgress> => Layer.effectDiscard(start(projection))
