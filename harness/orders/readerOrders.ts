import { Layer } from "effect"
import * as AggregateCatalog from "../../src/orders/AggregateCatalog.ts"
import * as Kernel from "../../src/kernel/Kernel.ts"
import { Orders } from "../../src/orders/Orders.ts"
import * as SqlCatalogQueries from "../../src/views/catalog/SqlCatalogQueries.ts"
import * as SqlOrderQueries from "../../src/views/order/SqlOrderQueries.ts"
import { patientConnections } from "../clocks/patience.ts"

/** The order service of a process that runs no projection: the views it reads are made by another one. */
export const readerOrders = (url: string) =>
  Orders.layer.pipe(
    Layer.provide(Layer.mergeAll(AggregateCatalog.layer, SqlOrderQueries.layer, SqlCatalogQueries.layer)),
    Layer.provide(Kernel.postgres(url, patientConnections))
  )
