/** The program of `ClusterProcess`: a node of a cluster that serves the API. NODE_PORT makes it an owner of slices. */
import { NodeRuntime } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted } from "effect"
import * as ClusterNode from "../../src/cluster/ClusterNode.ts"
import * as OrdersCluster from "../../src/cluster/OrdersCluster.ts"
import { Readiness } from "../../src/http/handlers/Readiness.ts"
import * as Server from "../../src/http/listener/Server.ts"
import { OpenStreams } from "../../src/http/push/OpenStreams.ts"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"

const { DATABASE_URL = "", NODE_PORT, PORT = "0" } = process.env

const orders = OrdersLayers.layerPostgres(DATABASE_URL)
const client = PgClient.layer({ url: Redacted.make(DATABASE_URL), maxConnections: 3 })
const node =
  NODE_PORT === undefined
    ? ClusterNode.layerClientOnly()
    : ClusterNode.layer({ address: { host: "127.0.0.1", port: Number(NODE_PORT) } })

const clustered = (NODE_PORT === undefined ? OrdersCluster.layerClientOnly : OrdersCluster.layer).pipe(
  Layer.provide(Layer.provide(node, client)),
  Layer.provide(orders)
)

const server = Server.layer({ host: "127.0.0.1", port: Number(PORT) }).pipe(
  Layer.provide(clustered),
  Layer.provide(orders),
  Layer.provide(OpenStreams.layer),
  Layer.provide(Layer.succeed(Readiness, { check: Effect.void }))
)

NodeRuntime.runMain(Layer.launch(server))
