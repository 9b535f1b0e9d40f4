import { orderLawSuite } from "../../../harness/laws/OrderLawSuite.ts"

orderLawSuite(200)
