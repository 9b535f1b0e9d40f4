/**
 * Breaks the kernel on purpose: each sabotage is a small patch of a file of `src`, as somebody might write it who means well.
 * The simulator must find every one of them that is not rare (`npm run sabotages`).
 */

export interface Sabotage {
  readonly name: string
  readonly file: string
  /** This text is in the file once. */
  readonly find: string
  readonly replace: string
  /** It shows in so few runs that the default number of them need not find it. */
  readonly isRare?: true
}

const actor = "src/aggregate/actor/AggregateActor.ts"
const drain = "src/aggregate/actor/Drain.ts"
const state = "src/aggregate/actor/ActorState.ts"
const keyed = "src/aggregate/idempotency/KeyedCommands.ts"
const lane = "src/eventstore/append/AppendLane.ts"
const log = "src/eventstore/MemoryLog.ts"
const logEnd = "src/eventstore/tail/LogEnd.ts"
const tail = "src/eventstore/tail/LogTail.ts"
const delivery = "src/projection/run/Delivery.ts"
const runner = "src/projection/run/ProjectionRunner.ts"
const poison = "src/projection/run/PoisonEvents.ts"
const projections = "src/projection/store/MemoryProjectionStore.ts"

export const sabotages: ReadonlyArray<Sabotage> = [
  {
    name: "the log is not asked for the version before a rejection or a read is answered",
    file: actor,
    find: `if (store.soleWriter && memory.phase._tag !== "Fresh") return`,
    replace: `if (memory.phase._tag !== "Fresh") return`
  },
  {
    name: "commands are acknowledged before they are committed",
    file: drain,
    find: `  return store.append(entries, Math.max(earliest - now, grace))`,
    replace: `  const taken = entries.map(
    ({ events, expected }): Outcome => ({ _tag: "Accepted", version: expected + events.length, position: 1n, recordedAt: "" })
  )
  return Effect.as(Effect.forkDetach(store.append(entries, Math.max(earliest - now, grace))), taken)`
  },
  {
    name: "a statement without an answer is sent again as a new one",
    file: lane,
    find: `const result = yield* send(batch, () => batch.calls.flatMap((call) => call.entries))`,
    replace: `const anew = (encoded: EncodedEntry): EncodedEntry => ({
      ...encoded,
      entry: {
        ...encoded.entry,
        events: encoded.entry.events.map((event) => ({ ...event, eventId: crypto.randomUUID() }))
      }
    })
    const result = yield* send(batch, () => {
      const entries = batch.calls.flatMap((call) => call.entries)
      return batch.isUndetermined ? entries.map(anew) : entries
    })`
  },
  {
    name: "a command whose outcome is unknown is decided and sent again",
    file: actor,
    find: `      if (error._tag === "OutcomeUnknown") memory.fallBehind()`,
    replace: `      if (error._tag === "OutcomeUnknown") {
        memory.fallBehind()
        return Effect.void
      }`
  },
  {
    name: "the log judges the entries of one append one by one",
    file: log,
    find: `appendEntry(entry, broken.has(entry.streamId), recordedAt)`,
    replace: `appendEntry(entry, false, recordedAt)`
  },
  {
    name: "the actor confirms what was decided on a command that was lost",
    file: drain,
    find: `return { confirmed: index === 0 ? [] : confirmed, lost: [first, ...later] }`,
    replace: `return { confirmed, lost: [first, ...later] }`,
    isRare: true
  },
  {
    name: "guards are ignored at the commit",
    file: drain,
    find: `...(guards === undefined ? undefined : { guards }),`,
    replace: ``
  },
  {
    name: "an actor that is busy gets a second fiber",
    file: actor,
    find: `    if (this.mailbox !== undefined) {
      this.mailbox.waiting.push(envelope)
      return
    }`,
    replace: ``
  },
  {
    name: "a reader of the log waits for a hint, and does not poll",
    file: tail,
    find: `const awaitHint = PubSub.take(hints).pipe(Effect.timeoutOption(pollInterval))`,
    replace: `const awaitHint = PubSub.take(hints)`
  },
  {
    name: "commands with a key are remembered in memory only",
    file: drain,
    find: `...(keyed === undefined ? {} : { keyed: { fingerprint: keyed.fingerprint, receipt: keyed.receipt(accepted) } }),`,
    replace: ``
  },
  {
    name: "another request under a key that is running is taken for the same one",
    file: keyed,
    find: `if (twin.fingerprint !== fingerprint) return yield* new CommandIdReused()`,
    replace: ``
  },
  {
    name: "the event behind a snapshot is skipped",
    file: state,
    find: `      this.version = version
      this.position = position
      this.eventId = event.eventId`,
    replace: `      this.version = version + 1
      this.position = position
      this.eventId = event.eventId`
  },
  {
    name: "a failed command with a key is not looked for among those that were accepted before",
    file: keyed,
    find: `        return recallStored(identity, recall).pipe(`,
    replace: `        if (error !== undefined) return failed
        return recallStored(identity, recall).pipe(`
  },
  {
    name: "a snapshot of another program is accepted",
    file: state,
    find: `snapshot.fingerprint !== fingerprintOf(policy) || `,
    replace: ``
  },
  {
    name: "own events are handed on before those in front of them are there",
    file: logEnd,
    find: `if (events[0].position > end.position + 1n) {`,
    replace: `if (events[0].position > end.position + 1_000n) {`
  },
  {
    name: "a statement that lost its connection counts as not stored",
    file: lane,
    find: `batch.isUndetermined ||= failure === "lost" && isSent`,
    replace: ``
  },
  {
    name: "a keyed duplicate is taken for the events that were decided here",
    file: drain,
    find: `if (outcome._tag !== "Accepted" && (outcome._tag !== "Duplicate" || index > lastResent)) {`,
    replace: `if (outcome._tag !== "Accepted" && outcome._tag !== "Duplicate") {`
  },
  {
    name: "the checkpoint of a subscription moves before its handler is done",
    file: delivery,
    find: `      const suspects = yield* work(
        handled.filter((event) => !isParked.has(event.streamId)),
        to.position
      )`,
    replace: `      const suspects: Suspects = new Map()
      yield* Effect.forkDetach(
        work(
          handled.filter((event) => !isParked.has(event.streamId)),
          to.position
        )
      )`
  },
  {
    name: "the rows of a projection are committed without its checkpoint",
    file: delivery,
    find: `}).pipe(session.transaction, bounded, (transaction)`,
    replace: `}).pipe(bounded, (transaction)`
  },
  {
    name: "events count as handed over although the handler failed",
    file: delivery,
    find: `return Effect.tap(subscription.deliver(due), () =>`,
    replace: `return Effect.onExit(subscription.deliver(due), () =>`
  },
  {
    name: "the events of a parked stream go on in the view",
    file: delivery,
    find: `return { reached, handled: handled.filter((event) => !isParked.has(event.streamId)) }`,
    replace: `return { reached, handled }`
  },
  {
    name: "a lease is taken although another process holds it",
    file: projections,
    find: ` && (row.owner === null || row.owner === owner || row.until < leaseMillis())`,
    replace: ``
  },
  {
    name: "a checkpoint moves wherever it is",
    file: projections,
    find: `      row.position === from.position &&
`,
    replace: ``
  },
  {
    name: "a process that stands by never looks at the lease again",
    file: runner,
    find: `if (start.paused || !isOurs) return yield* Effect.sleep(standbyPoll)`,
    replace: `if (start.paused || !isOurs) return yield* Effect.never`
  },
  {
    name: "a stream is parked as soon as an event of it has failed",
    file: poison,
    find: `const failuresToPark = 3`,
    replace: `const failuresToPark = 1`
  }
]
