import { orderQueriesContract } from "../../../../harness/views/OrderQueriesContract.ts"
import { fresh, memoryLayer, processLayer } from "../../../../harness/views/ViewLayer.ts"

orderQueriesContract("memory", memoryLayer)
orderQueriesContract("postgres", fresh(processLayer))
orderQueriesContract("pglite", processLayer("pglite:memory"))
