import { Schema } from "effect"

/** An event fails and can't be set aside: nothing of its batch was applied. */
export class ProjectionBroken extends Schema.TaggedError<ProjectionBroken>()("ProjectionBroken", {
  projection: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `projection ${this.projection} stopped: ${this.problem}`
  }
}
