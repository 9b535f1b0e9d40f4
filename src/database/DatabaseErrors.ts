/** Holds the two errors of a database: it could not be opened, or it can't answer now. Clients load this file. */
import { Schema } from "effect"

/** The database could not be opened, and trying again changes nothing: somebody has to act on `problem`. */
export class DatabaseNotOpened extends Schema.TaggedError<DatabaseNotOpened>()("DatabaseNotOpened", {
  reason: Schema.Literals([
    "UnknownUrl",
    "Taken",
    "Production",
    "Unusable",
    "NotInstalled",
    "Encoding",
    "Schema",
    "Pooler",
    "TooFewConnections",
    "Types"
  ]),
  problem: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return this.problem
  }
}

/**
 * The database can't be reached or refuses to work; try again after `retryAfter` seconds. Nothing was done, unless it is
 * `unanswered`: then the answer was lost or did not come in time, and what was asked for may be done or not. `isBusy`
 * means that somebody else held the locks that were needed.
 */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()(
  "DatabaseUnavailable",
  {
    retryAfter: Schema.Finite,
    isBusy: Schema.optionalKey(Schema.Boolean),
    unanswered: Schema.optionalKey(Schema.Boolean),
    cause: Schema.optionalKey(Schema.Defect())
  },
  { httpApiStatus: 503 }
) {
  override get message() {
    if (this.unanswered) {
      return `The database did not answer. If this was to change something, it may be done or not: look first, or ask again in ${this.retryAfter} s.`
    }
    const problem = this.isBusy
      ? "Another transaction holds a lock that this request needs"
      : "The database can't be reached"
    return `${problem}; nothing was done; try again in ${this.retryAfter} s.`
  }
}
