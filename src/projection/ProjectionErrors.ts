/**
 * Holds the errors of operators' requests about projections: the four services raise them, and the admin port answers
 * them. The last two are those of handlers.
 */
import { Effect, Schema } from "effect"

export class UnknownProjection extends Schema.TaggedError<UnknownProjection>()(
  "UnknownProjection",
  { name: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no projection "${this.name}".`
  }
}

export class UnknownRebuild extends Schema.TaggedError<UnknownRebuild>()(
  "UnknownRebuild",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no rebuild ${this.id}.`
  }
}

export class UnknownParkedStream extends Schema.TaggedError<UnknownParkedStream>()(
  "UnknownParkedStream",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `No stream is parked as ${this.id}; it may have been retried or skipped before.`
  }
}

/** The projection does not read streams of this category, or the stream has neither events nor a row. */
export class UnknownStream extends Schema.TaggedError<UnknownStream>()(
  "UnknownStream",
  { projection: Schema.String, streamId: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `The projection ${this.projection} has no stream ${this.streamId}.`
  }
}

/**
 * A rebuild is under way (`id`), this one has ended, or the projection can't be rebuilt beside the table that serves.
 */
export class RebuildRefused extends Schema.TaggedError<RebuildRefused>()(
  "RebuildRefused",
  { projection: Schema.String, id: Schema.optionalKey(Schema.String), problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `The rebuild of ${this.projection} is refused: ${this.problem}.`
  }
}

/** Only a subscription can be moved: a projection is rebuilt. */
export class RewindRefused extends Schema.TaggedError<RewindRefused>()(
  "RewindRefused",
  { name: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.name} can't be moved: ${this.problem}; rebuild it instead.`
  }
}

/** The event at `version` failed again, so the stream stays parked there; the events before it are applied. */
export class StillFailing extends Schema.TaggedError<StillFailing>()(
  "StillFailing",
  { id: Schema.String, streamId: Schema.String, version: Schema.Int, reason: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    const failure = `${this.streamId} fails at its version ${this.version} and stays parked: ${this.reason}`
    return `${failure}; retry it after a fix, or skip the event.`
  }
}

/**
 * The event at `asked` was retried or skipped already, and the stream is parked at `version` now. This request skipped
 * nothing.
 */
export class ParkedElsewhere extends Schema.TaggedError<ParkedElsewhere>()(
  "ParkedElsewhere",
  { id: Schema.String, streamId: Schema.String, version: Schema.Int, asked: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} is parked at its version ${this.version}, not at ${this.asked}; nothing was skipped.`
  }
}

/** Another version of the projection made the view, so only a process of that version can go on with the stream. */
export class RetryRefused extends Schema.TaggedError<RetryRefused>()(
  "RetryRefused",
  { id: Schema.String, streamId: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `Nothing was done, and ${this.streamId} stays parked: ${this.problem}, so only a process of that version can retry or skip.`
  }
}

/** The projection has no audit, or another version of it made the view. */
export class AuditRefused extends Schema.TaggedError<AuditRefused>()(
  "AuditRefused",
  { projection: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `The projection ${this.projection} can't be audited: ${this.problem}.`
  }
}

/** The stream is parked or degraded, a rebuild is under way, or the row has changed since it was audited. */
export class RepairRefused extends Schema.TaggedError<RepairRefused>()(
  "RepairRefused",
  { projection: Schema.String, streamId: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} in ${this.projection} was not repaired: ${this.problem}.`
  }
}

/**
 * A handler fails with this if what it needs is away: the same events are given to it again, for as long as it takes, and
 * none is suspected or parked. Every error with a number `retryAfter` counts as this one, as do those of commands.
 */
export class Retry extends Schema.TaggedError<Retry>()("Retry", {
  retryAfter: Schema.Finite.pipe(Schema.withConstructorDefault(Effect.succeed(1))),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    const reason = this.cause instanceof Error ? this.cause.message : "what the handler needs is away"
    return `The handler asks for another try: ${reason}`
  }
}

/** A handler took longer than it may, and was interrupted. */
export class HandlerOverdue extends Schema.TaggedError<HandlerOverdue>()("HandlerOverdue", {
  seconds: Schema.Finite
}) {
  override get message() {
    return `The handler took longer than the ${this.seconds} s that it has.`
  }
}
