import * as KafkaBroker from "../../../src/bus/kafka/KafkaBroker.ts"
import { brokerContract } from "../../../harness/bus/BrokerContract.ts"
import { kafkaService, serviceSuite } from "../../../harness/services/ServiceSuite.ts"

serviceSuite(kafkaService, "Broker contract: Kafka", (bootstrap) =>
  brokerContract("Kafka", KafkaBroker.layer({ bootstrap: bootstrap.split(",") }))
)
