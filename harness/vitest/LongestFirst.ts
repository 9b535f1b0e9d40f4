/** Orders test files so that none of the long ones begins last and keeps the run waiting, also in a new clone. */
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** These took more than 20 s each when they were last measured, the longest first. */
const longest = [
  "ci/scripts/httpBench",
  "ci/environmentCampaign",
  "ci/scripts/bench",
  "system/scripts/simulate",
  "system/settings",
  "system/firstStart",
  "integration/projection/Subscriptions",
  "system/testingDocs",
  "system/campaigns/",
  "system/kill",
  "integration/testing/OrderLaws",
  "system/http/push/EventStream.campaign",
  "system/limits",
  "system/projections",
  "system/projectors",
  "integration/eventstore/SqlEventStore.connection",
  "system/aggregates",
  "system/readme",
  "system/admin",
  "integration/testing/ProjectionLaws",
  "system/deno",
  "integration/projection/run/PoisonEvents",
  "integration/projection/SlowBatches",
  "integration/projection/audit/DriftAudit"
]

const rank = ({ moduleId }: TestSpecification) => {
  const found = longest.findIndex((part) => moduleId.includes(`/test/${part}`))
  return found < 0 ? longest.length : found
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    return sorted.toSorted((left, right) => rank(left) - rank(right))
  }
}
