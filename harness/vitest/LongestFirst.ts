/** Orders test files so that none of the long ones begins last and keeps the run waiting, also in a new clone. */
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** These took more than 20 s each when they were last measured, the longest first. */
const longest = [
  "system/scripts/httpBench",
  "system/scripts/simulate",
  "system/settings",
  "system/environmentCampaign",
  "system/http/push/EventStream.campaign",
  "system/firstStart",
  "system/kill",
  "system/limits",
  "system/scripts/bench",
  "integration/projection/audit/DriftAudit",
  "integration/projection/SlowBatches",
  "integration/eventstore/SqlEventStore.connection",
  "integration/projection/run/PoisonEvents",
  "system/campaigns/"
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
