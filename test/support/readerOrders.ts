import { Layer, Redacted } from "effect"
import * as AggregateCatalog from "../../src/catalog/AggregateCatalog.ts"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import { LogTail } from "../../src/eventlog/LogTail.ts"
import * as SqlEventLog from "../../src/eventlog/SqlEventLog.ts"
import { Aggregates } from "../../src/eventsourcing/Aggregates.ts"
import { KeyedCommands } from "../../src/eventsourcing/KeyedCommands.ts"
import * as SqlSnapshots from "../../src/eventsourcing/SqlSnapshots.ts"
import { Orders } from "../../src/Orders.ts"
import { ProjectionProgress } from "../../src/projection/ProjectionProgress.ts"
import * as SqlOrderQueries from "../../src/readmodel/SqlOrderQueries.ts"

/** The order service of a process that runs no projection: the view it reads is made by another one. */
export const readerOrders = (url: string) =>
  Orders.layer.pipe(
    Layer.provide(Layer.merge(AggregateCatalog.layer, KeyedCommands.layer).pipe(Layer.provideMerge(Aggregates.layer))),
    Layer.provide(SqlOrderQueries.layer.pipe(Layer.provide(ProjectionProgress.layer))),
    Layer.provide(Layer.merge(LogTail.layer, SqlSnapshots.layer)),
    Layer.provide(SqlEventLog.layer),
    Layer.provide(Migrations.layer),
    Layer.provide(Database.layer({ url: Redacted.make(url) }))
  )
