/**
 * Makes this process a node of a cluster: with sockets between the nodes, and a table in PostgreSQL that says who owns what.
 * Nothing is read from the environment, whose HOST and PORT mean the API's.
 *
 * **Gotchas**: the port of a node has no authentication; let it listen on loopback, or on a network that is encrypted and that
 * nobody else reaches.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import { Duration, Layer, Option } from "effect"
import {
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  Runners,
  ShardingConfig,
  SocketRunner,
  SqlRunnerStorage
} from "effect/cluster"
import { RpcSerialization } from "effect/rpc"

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Options {
  /** Others take over from a node so long after it has gone; 12 s by default. */
  readonly expiration?: Duration.Input
  /** The tables are named so; `orders_cluster` by default. */
  readonly prefix?: string
}

export interface OwnerOptions extends Options {
  /** The other nodes reach this one here. */
  readonly address: Address
  /** It listens here, if that is another address. */
  readonly listen?: Address
}

const config = ({ expiration = "12 seconds" }: Options, address?: Address, listen = address) => {
  const optional = (address: Address | undefined) =>
    Option.map(Option.fromNullishOr(address), ({ host, port }) => RunnerAddress.make(host, port))
  return ShardingConfig.layer({
    runnerAddress: optional(address),
    runnerListenAddress: optional(listen),
    shardLockExpiration: expiration,
    shardLockRefreshInterval: Duration.divideUnsafe(Duration.fromInputUnsafe(expiration), 3),
    refreshAssignmentsInterval: "500 millis",
    runnerHealthCheckInterval: "2 seconds"
  })
}

const storage = ({ prefix = "orders_cluster" }: Options) =>
  Layer.merge(MessageStorage.layerNoop, SqlRunnerStorage.layerWith({ prefix }))

/** Owns slices, and sends commands on others to their owners. Takes the `SqlClient` of the database that all nodes share. */
export const layer = (options: OwnerOptions) =>
  SocketRunner.layer.pipe(
    Layer.provide(RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc))),
    Layer.provide(NodeClusterSocket.layerSocketServer),
    Layer.provide(NodeClusterSocket.layerClientProtocol),
    Layer.provide(storage(options)),
    Layer.provide(RpcSerialization.layerSchemaBinary()),
    Layer.provide(config(options, options.address, options.listen))
  )

/** Owns nothing and only sends. Takes the `SqlClient` of the database that all nodes share. */
export const layerClientOnly = (options: Options = {}) =>
  SocketRunner.layerClientOnly.pipe(
    Layer.provide(NodeClusterSocket.layerClientProtocol),
    Layer.provide(storage(options)),
    Layer.provide(RpcSerialization.layerSchemaBinary()),
    Layer.provide(config(options))
  )
