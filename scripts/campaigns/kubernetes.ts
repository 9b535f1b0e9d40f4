/**
 * `node scripts/campaigns/kubernetes.ts [--quick] [--rounds n] [--kills n] [--seed n]`: the chart on a cluster under load, with
 * PostgreSQL, Kafka and Redis outside of it, on this machine. docs/operating.md says how to have such a cluster. It is told by
 * the environment:
 *
 * - `KUBECONFIG`: the cluster's administrator; `KUBECTL`: the program, if it is not `kubectl`;
 * - `HOST_ADDRESS`: the address by which the cluster's pods reach this machine;
 * - `ORDINAL_IMAGE`: the image on the node, built from the Dockerfile, as `docker.io/library/ordinal:1`.
 */
import { parseArgs } from "node:util"
import * as KubernetesCampaign from "../../harness/campaigns/kubernetes/KubernetesCampaign.ts"
import * as OutsideServers from "../../harness/campaigns/kubernetes/OutsideServers.ts"
import * as SeededRandom from "../../harness/fixtures/SeededRandom.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as Chart from "../../harness/kubernetes/Chart.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    kills: { type: "string" },
    seed: { type: "string", default: String(SeededRandom.seed) }
  }
})

const told = (name: string, meaning: string): string => {
  const value = process.env[name]
  if (value !== undefined && value !== "") return value
  console.error(`Set ${name} to ${meaning}. docs/operating.md says how to have a cluster for this.`)
  return process.exit(2)
}

told("KUBECONFIG", "the file of the cluster's administrator")
const host = told("HOST_ADDRESS", "the address by which the cluster's pods reach this machine")
const image = told("ORDINAL_IMAGE", "the image on the cluster's node, as repository:tag")
const sizes = values.quick
  ? { rounds: 1, kills: 3, clients: 3, pause: 100 }
  : { rounds: 3, kills: 12, clients: 6, pause: 60 }
const plan = {
  ...sizes,
  rounds: Number(values.rounds ?? sizes.rounds),
  kills: Number(values.kills ?? sizes.kills),
  seed: Number(values.seed),
  kubectl: process.env["KUBECTL"] ?? "kubectl",
  image
}

await Chart.install()
const outside = await OutsideServers.start(host)
try {
  const progress = (line: string) => console.log(`${new Date().toISOString()} ${line}`)
  const { faults, ...figures } = await KubernetesCampaign.run(outside, { ...plan, progress })
  report({ campaign: "kubernetes", ...plan, ...figures }, faults)
} finally {
  await outside.close()
}
