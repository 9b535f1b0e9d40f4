/**
 * Entry point `ordinal/cluster`: `Orders` of several processes, each of which owns a part of the orders, on `effect/cluster`.
 * `ClusterNode` makes a process a node by sockets and a table in PostgreSQL; `OrdersCluster` works on any other `Sharding`, too.
 */
export * as ClusterNode from "./ClusterNode.ts"
export * as OrdersCluster from "./OrdersCluster.ts"
