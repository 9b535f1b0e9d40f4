/**
 * Sends requests of clients to nodes over a network that delays them, and gives the answers. A caller may go away before the
 * answer comes; whoever asks a node that is not there is refused, and a crash ends what waits.
 */
import { Cause, Effect, Exit, Option } from "effect"
import { kindOf } from "../../aggregate/CommandErrors.ts"
import type { Faults } from "./Faults.ts"
import type { Answer, Attempt, History, Moment } from "./History.ts"
import type { Kernel, Node } from "./Node.ts"
import type { Process } from "./World.ts"

/** Every command is answered within this time, in milliseconds, unless its node stood still or ended. */
const patience = 40_000

const notNow = new Set(["VersionMismatch", "GuardMoved"])
/** These are rejections, but of the kernel and not of the domain. */
const invalid = new Set(["InvalidRequest", "InvalidIdempotencyKey"])

const answerOf = <A, E>(exit: Exit.Exit<A, E>, accepted: (value: A) => Answer): Answer => {
  if (Exit.isSuccess(exit)) return accepted(exit.value)
  const failure = Cause.findErrorOption(exit.cause)
  if (Option.isNone(failure)) {
    const reason = "The request was abandoned."
    if (Cause.hasInterruptsOnly(exit.cause)) return { _tag: "Unknown", reason }
    return { _tag: "Defect", defect: Cause.squash(exit.cause) }
  }
  const error: unknown = failure.value
  const tag = typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""
  if (notNow.has(tag)) return { _tag: "NotNow", error: error as { readonly _tag: string } }
  if (tag === "CommandIdReused") return { _tag: "Reused" }
  if (tag === "OutcomeUnknown" || tag === "CommandInProgress") return { _tag: "Unknown", reason: tag }
  return kindOf(error) === "rejection" && !invalid.has(tag)
    ? { _tag: "Rejected", error }
    : { _tag: "NotDone", reason: tag }
}

export const make = (
  clients: Process,
  { findings }: Pick<History, "findings">,
  faults: Faults,
  moment: () => Moment
) => {
  const { world } = clients
  const delay = () => 0.1 + world.random() * (faults.strikes("delay", 0.05) ? 300 : 2)

  /** Sends an effect to a node, which runs it there; the attempt has the answer once there is one. */
  const ask = <A, E>(
    node: Node,
    effect: Effect.Effect<A, E, Kernel>,
    accepted: (value: A) => Answer,
    remember: (attempt: Attempt) => void
  ): Effect.Effect<Answer> =>
    Effect.callback((resume) => {
      const begun = moment()
      const open: Answer = { _tag: "Unknown", reason: "There is no answer yet." }
      const attempt: Attempt = { node: node.process.name, begun, ended: undefined, answer: open }
      remember(attempt)
      let leave = () => {}
      const end = (answer: Answer) => {
        if (attempt.ended !== undefined) return
        node.callers.delete(gone)
        offPatience()
        attempt.ended = moment()
        attempt.answer = answer
        resume(Effect.succeed(answer))
      }
      const reply = (answer: Answer) => world.after(clients, delay(), () => end(answer))
      const gone = () => void reply({ _tag: "Unknown", reason: "The node is gone." })
      node.callers.add(gone)
      const limit = faults.strikes("impatience", 0.1) ? world.random() * 3_000 : patience
      const offPatience = world.after(clients, limit, () => {
        const stood = node.process.isPaused || node.pausedUntil > begun.time
        if (limit === patience && !stood) findings.push(`${node.process.name} gave no answer within ${patience} ms`)
        leave()
        end({ _tag: "Unknown", reason: "The caller went away." })
      })
      if (!node.isServing) return void reply({ _tag: "NotDone", reason: "The node is not there." })
      world.after(node.process, delay(), () => {
        leave = node.run(effect, (exit) => reply(answerOf(exit, accepted)))
      })
    })

  return { ask }
}

export type Requests = ReturnType<typeof make>
