import * as OrdersLocal from "../../src/orders/OrdersLocal.ts"
import { Layer } from "effect"
import * as AggregateCatalog from "../../src/orders/AggregateCatalog.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import * as SqlCatalogQueries from "../../src/views/catalog/SqlCatalogQueries.ts"
import * as SqlOrderQueries from "../../src/views/order/SqlOrderQueries.ts"
import { patientConnections } from "../clocks/Patience.ts"

/** The order service of a process that runs no projection: the views it reads are made by another one. */
export const readerOrders = (url: string) =>
  OrdersLocal.layer.pipe(
    Layer.provide(Layer.mergeAll(AggregateCatalog.layer, SqlOrderQueries.layer, SqlCatalogQueries.layer)),
    Layer.provide(EventSourcing.layerPostgres(url, patientConnections))
  )
