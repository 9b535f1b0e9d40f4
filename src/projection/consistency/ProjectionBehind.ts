import { Schema } from "effect"

/** The view has not reached the required position in the time given. Nothing is wrong with the data. */
export class ProjectionBehind extends Schema.TaggedError<ProjectionBehind>()(
  "ProjectionBehind",
  {
    required: Schema.BigInt,
    current: Schema.BigInt,
    parked: Schema.optionalKey(Schema.Boolean),
    retryAfter: Schema.Number
  },
  { httpApiStatus: 503 }
) {
  /** `parkedAt`: the first position that the view does not have of what is set aside. */
  static parked(required: bigint, parkedAt: bigint) {
    return new ProjectionBehind({ required, current: parkedAt - 1n, parked: true, retryAfter: 30 })
  }

  override get message() {
    return `the view is at position ${this.current} and not yet at ${this.required}; try again in ${this.retryAfter} s`
  }
}
