/** Holds the error that ends a start because of a setting. */
import { Schema } from "effect"

/** A setting can't be used: its value can't be read, or what it names (a port, a database) can't be had. */
export class UnusableSetting extends Schema.TaggedError<UnusableSetting>()("UnusableSetting", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}
