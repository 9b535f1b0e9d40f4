/** Asks a cluster by `kubectl`, as its administrator. */
import { untilSo } from "../clocks/Until.ts"
import { run as runProgram } from "./Program.ts"

export interface Kubectl {
  /** Runs it to its end and gives what it printed; fails with what it said. */
  readonly run: (args: ReadonlyArray<string>, input?: string) => Promise<string>
  readonly apply: (manifests: string) => Promise<void>
  /** What a command says as JSON; who reads it knows what should be there. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: (...args: ReadonlyArray<string>) => Promise<any>
  /** The names of the pods of a role that are neither ending nor over. */
  readonly pods: (role: string) => Promise<ReadonlyArray<string>>
  /** Waits until a Deployment has just its pods, all of them new and ready, and no other pod of it is left. */
  readonly settled: (role: string) => Promise<void>
}

/** Milliseconds for a Deployment to change all of its pods, on a small machine. */
const patience = 300_000

export const make = (program: string, namespace: string): Kubectl => {
  const run: Kubectl["run"] = (args, input = "") => runProgram(program, ["--namespace", namespace, ...args], { input })
  const json: Kubectl["json"] = async (...args) => JSON.parse(await run([...args, "--output", "json"]))

  interface Pod {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
    readonly status: { readonly phase: string }
  }
  const podsOf = async (role: string): Promise<ReadonlyArray<Pod>> =>
    (await json("get", "pods", "--selector", `app.kubernetes.io/component=${role}`)).items

  return {
    run,
    json,
    apply: async (manifests) => void (await run(["apply", "--filename", "-"], manifests)),
    pods: async (role) =>
      (await podsOf(role))
        .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === "Running")
        .map(({ metadata }) => metadata.name),
    settled: async (role) => {
      const isSettled = async () => {
        const { metadata, spec, status } = await json("get", "deployment", `ordinal-${role}`)
        const { availableReplicas, observedGeneration, replicas, updatedReplicas } = status
        if (observedGeneration !== metadata.generation) return false
        if ([replicas, updatedReplicas, availableReplicas].some((count) => count !== spec.replicas)) return false
        return (await podsOf(role)).length === spec.replicas
      }
      await untilSo(isSettled, { what: `The pods of ${role}`, pause: 250, patience })
    }
  }
}
