/**
 * Checks the answers of a simulation against its log. The versions of a stream give its commands their order, so an answer is
 * linearizable if it was right at one of the versions that the stream had between the question and the answer.
 */
import { Equal, Result } from "effect"
import type { Answer, Attempt, Made, Moment, SentCommand, SentRead } from "./History.ts"
import { type Batch, decide, holds, type Log } from "./LogChecks.ts"

type Report = (finding: string) => void

const jsonOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null")

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

/** Commands with the same key are one, as far as the kernel can tell; one without a key is alone. */
interface Group {
  readonly commands: ReadonlyArray<SentCommand>
  readonly batch: Batch | undefined
}

const positionOf = ({ events }: ReturnType<Log["stream"]>, version: number) => events[version - 1]?.position ?? 0n

const checkState = (
  log: Log,
  { aggregate, streamId }: Pick<SentCommand, "aggregate" | "streamId">,
  { accepted }: Extract<Answer, { readonly _tag: "Accepted" }>,
  versions: ReadonlyArray<number>,
  report: Report
) => {
  const stream = log.stream(aggregate, streamId)
  const { eventId, position, state, version } = accepted
  if (!versions.includes(version)) {
    return report(`answered version ${version} of ${streamId}, which was at ${versions[0]} to ${versions.at(-1)}`)
  }
  if (!Equal.equals(state, stream.states[version])) {
    report(
      `answered ${JSON.stringify(state)} at version ${version} of ${streamId}, which is
 ${JSON.stringify(stream.states[version])}`.replace("\n", "")
    )
  }
  if (position !== positionOf(stream, version) || eventId !== stream.events[version - 1]?.eventId) {
    report(`answered another last event than that of version ${version} of ${streamId}`)
  }
}

export const checkRead = (log: Log, read: SentRead, report: Report) => {
  const { answer, begun, ended } = read.attempt
  if (answer._tag === "Defect") return report(`a read died: ${String(answer.defect)}`)
  if (answer._tag !== "Accepted" || ended === undefined) return
  const { streamId } = read
  const versions = range(log.versionAt(streamId, begun.position), log.versionAt(streamId, ended.position))
  checkState(log, read, answer, versions, report)
}

const checkAttempt = (log: Log, command: SentCommand, { batch, commands }: Group, attempt: Attempt, report: Report) => {
  const { answer, begun, ended } = attempt
  if (ended === undefined) return
  const { aggregate, precondition, streamId } = command
  const { states } = log.stream(aggregate, streamId)
  const versionsSince = ({ position }: Moment) =>
    range(log.versionAt(streamId, position), log.versionAt(streamId, ended.position))
  /** The guards of something that was made must have held, each at some time. */
  const mayHold = ({ guards }: Made, since: Moment) =>
    guards.every(({ streamId, version }) =>
      range(log.versionAt(streamId, since.position), log.versionAt(streamId, ended.position)).includes(version)
    )
  const made = commands.flatMap((command) => command.made)
  /** An attempt may be answered with what another one of the same key comes to, that was under way when it began. */
  const attempts = commands.flatMap((command) => command.attempts)
  const isUnderWay = (other: Attempt) =>
    other.answer._tag === "Unknown" || other.ended === undefined || other.ended.time >= begun.time
  const joined = attempts
    .filter((other) => other.begun.time <= begun.time && isUnderWay(other))
    .reduce((least, other) => (other.begun.position < least.position ? other.begun : least), begun)
  const first = attempts.reduce((least, other) => (other.begun.position < least.position ? other.begun : least), begun)

  const decidesNothing = (since: Moment, version: number) =>
    versionsSince(since).includes(version) &&
    holds(precondition, version) &&
    made.some((made) => {
      const decided = decide(aggregate, made.command, states[version])
      return decided !== undefined && Result.isSuccess(decided) && decided.success.length === 0 && mayHold(made, since)
    })

  const checkEffect = (version: number, position: bigint, count: number, since: Moment) => {
    if (count === 0) {
      if (batch !== undefined) report(`${command.id} was said to change nothing, but did`)
      else if (!decidesNothing(since, version)) report(`${command.id} was said to change nothing at version ${version}`)
    } else if (batch === undefined) report(`${command.id} was accepted, and is not in the log`)
    else if (batch.events.length !== count || batch.to.version !== version || batch.to.position !== position) {
      report(
        `${command.id} was answered version ${version} and position ${position}, and is in the log as version
 ${batch.to.version} at ${batch.to.position}`.replace("\n", "")
      )
    } else if (Number(batch.to.position) > ended.position) report(`${command.id} was answered before it was stored`)
  }

  switch (answer._tag) {
    case "Accepted": {
      const { commandId, events, position, version } = answer.accepted
      checkEffect(version, position, events.length, begun)
      checkState(log, command, answer, range(0, states.length - 1), report)
      if (batch !== undefined && batch.from.metadata.commandId !== commandId)
        report(`${command.id}: another command id`)
      return
    }
    case "Submitted": {
      const { position, receipt, replayed } = answer.submitted
      checkEffect(receipt.version, position, receipt.events.length, replayed ? first : begun)
      return
    }
    case "Rejected": {
      if (batch !== undefined && Number(batch.to.position) <= begun.position) {
        report(`${command.id} was rejected after it had taken effect`)
      }
      const isRight = versionsSince(joined).some(
        (version) =>
          (version === 0 || holds(precondition, version)) &&
          made.some((made) => {
            const decided = decide(aggregate, made.command, states[version])
            const isSame =
              decided !== undefined &&
              Result.isFailure(decided) &&
              Equal.equals(jsonOf(decided.failure), jsonOf(answer.error))
            return isSame && mayHold(made, joined)
          })
      )
      if (!isRight)
        report(`${command.id} was rejected with ${JSON.stringify(answer.error)}, at no version that was there`)
      return
    }
    case "NotNow": {
      const current = "currentVersion" in answer.error ? answer.error.currentVersion : undefined
      const isRight = versionsSince(joined).some((version) => version === current && !holds(precondition, version))
      if (!isRight) report(`${command.id}: its precondition held, or version ${current} was not there`)
      return
    }
    case "Reused": {
      if (commands.length === 1) report(`${command.id}: nobody else has used its key`)
      return
    }
    case "Defect":
      return report(`${command.id} died: ${String(answer.defect)}`)
    case "NotDone":
    case "Unknown":
      return
  }
}

/** After these, a command may be in the log. */
const maybe = new Set<Answer["_tag"]>(["Accepted", "Submitted", "Unknown"])

/** Checks all answers to commands. */
export const checkCommands = (
  log: Log,
  commands: ReadonlyArray<SentCommand>,
  batches: ReadonlyMap<SentCommand, Batch>,
  report: Report
) => {
  const groups = new Map<string, Array<SentCommand>>()
  for (const command of commands) {
    const name = command.key === undefined ? command.id : `${command.streamId} ${command.key}`
    groups.set(name, [...(groups.get(name) ?? []), command])
  }
  for (const same of groups.values()) {
    const batch = same.map((command) => batches.get(command)).find((batch) => batch !== undefined)
    const group = { commands: same, batch }
    const receipts = new Set<string>()
    const requests = new Set<string>()
    for (const command of same) {
      for (const attempt of command.attempts) {
        checkAttempt(log, command, group, attempt, report)
        if (attempt.answer._tag !== "Submitted") continue
        receipts.add(JSON.stringify(attempt.answer.submitted.receipt))
        requests.add(command.request)
      }
      const isDenied = batches.has(command) && !command.attempts.some(({ answer }) => maybe.has(answer._tag))
      if (isDenied) report(`${command.id} is in the log, and its sender was told that it was not done`)
    }
    if (same[0]?.key !== undefined && receipts.size > 1) {
      report(`the same key was answered with different receipts: ${[...receipts].join(" and ")}`)
    }
    if (requests.size > 1) report(`one key was accepted for different requests: ${[...requests].join(" and ")}`)
  }
}
