import { Layer } from "effect"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import { patientConnections } from "../clocks/Patience.ts"

/** The order service of a process that runs no projection: the views it reads are made by another one. */
export const readerOrders = (url: string) =>
  OrdersLayers.layerNoDeps.pipe(Layer.provide(EventSourcing.layerPostgres(url, patientConnections)))
