/** Why an operator's request about a projection is not done. Each leaves everything as it was. */
import { Schema } from "effect"

export class UnknownProjection extends Schema.TaggedError<UnknownProjection>()(
  "UnknownProjection",
  { name: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `there is no projection "${this.name}"`
  }
}

export class UnknownRebuild extends Schema.TaggedError<UnknownRebuild>()(
  "UnknownRebuild",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `there is no rebuild ${this.id}`
  }
}

export class UnknownParkedStream extends Schema.TaggedError<UnknownParkedStream>()(
  "UnknownParkedStream",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `no stream is parked as ${this.id} (any more)`
  }
}

/** It is of no category of the projection, or there are neither events nor a row of it. */
export class UnknownStream extends Schema.TaggedError<UnknownStream>()(
  "UnknownStream",
  { projection: Schema.String, streamId: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `${this.projection} has no stream ${this.streamId}`
  }
}

/** There is one under way (`id`), it has ended, or the projection can't be rebuilt beside what serves. */
export class RebuildRefused extends Schema.TaggedError<RebuildRefused>()(
  "RebuildRefused",
  { projection: Schema.String, id: Schema.optionalKey(Schema.String), problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.projection}: ${this.problem}`
  }
}

/** The stream stays parked at `version`, which failed again; what came before it is applied. */
export class StillFailing extends Schema.TaggedError<StillFailing>()(
  "StillFailing",
  { id: Schema.String, streamId: Schema.String, version: Schema.Int, reason: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} fails at its version ${this.version} and stays parked: ${this.reason}; retry it after a fix, or skip the event`
  }
}

/** It is parked at `version` by now: `asked` was dealt with before. */
export class ParkedElsewhere extends Schema.TaggedError<ParkedElsewhere>()(
  "ParkedElsewhere",
  { id: Schema.String, streamId: Schema.String, version: Schema.Int, asked: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} is parked at its version ${this.version}, not at ${this.asked}; nothing was skipped`
  }
}

/** Another version of the projection made the view: what is parked is for a process of that version. */
export class RetryRefused extends Schema.TaggedError<RetryRefused>()(
  "RetryRefused",
  { id: Schema.String, streamId: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} stays parked: ${this.problem}, which alone can go on with it; nothing was done`
  }
}

/** The projection can't be audited, or its view not by this version of it. */
export class AuditRefused extends Schema.TaggedError<AuditRefused>()(
  "AuditRefused",
  { projection: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.projection} can't be audited: ${this.problem}`
  }
}

/** It is parked or degraded, a rebuild is under way, or the row has changed since it was audited. */
export class RepairRefused extends Schema.TaggedError<RepairRefused>()(
  "RepairRefused",
  { projection: Schema.String, streamId: Schema.String, problem: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.streamId} in ${this.projection} was not repaired: ${this.problem}`
  }
}
