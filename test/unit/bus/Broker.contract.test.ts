import * as MemoryBroker from "../../../src/bus/MemoryBroker.ts"
import { brokerContract } from "../../../harness/bus/BrokerContract.ts"

brokerContract("memory", MemoryBroker.layer())
