import { Schema } from "effect"

/** The database could not be opened at all, and trying again changes nothing: somebody has to act. */
export class DatabaseNotOpened extends Schema.TaggedError<DatabaseNotOpened>()("DatabaseNotOpened", {
  reason: Schema.Literals(["UnknownUrl", "Taken", "Production", "Unusable"]),
  problem: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return this.problem
  }
}
