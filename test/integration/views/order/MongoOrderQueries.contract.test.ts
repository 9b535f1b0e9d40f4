import { orderQueriesContract } from "../../../../harness/views/OrderQueriesContract.ts"
import { mongoService, serviceSuite } from "../../../../harness/services/ServiceSuite.ts"
import { fresh } from "../../../../harness/views/MongoViewLayer.ts"

serviceSuite(mongoService, "OrderQueries on MongoDB", (url) => orderQueriesContract("MongoDB", fresh(url)))
