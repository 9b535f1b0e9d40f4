import { Layer } from "effect"
import * as AggregateCatalog from "../../src/catalog/AggregateCatalog.ts"
import * as Kernel from "../../src/Kernel.ts"
import { Orders } from "../../src/Orders.ts"
import * as SqlCatalogQueries from "../../src/readmodel/SqlCatalogQueries.ts"
import * as SqlOrderQueries from "../../src/readmodel/SqlOrderQueries.ts"
import { patientConnections } from "./patience.ts"

/** The order service of a process that runs no projection: the views it reads are made by another one. */
export const readerOrders = (url: string) =>
  Orders.layer.pipe(
    Layer.provide(Layer.mergeAll(AggregateCatalog.layer, SqlOrderQueries.layer, SqlCatalogQueries.layer)),
    Layer.provide(Kernel.postgres(url, patientConnections))
  )
