/**
 * Simulates the kernel with many seeds, on all cores: `npm run simulate -- --seeds 2000 [--seed 1] [--nodes 3] [--clients 3]
 * [--requests 24] [--faults crash,pause] [--workers 2] [--trace]`. It ends with code 1 at the first seed that finds something, and prints
 * what happened and the command that replays it.
 */
import { Effect, Exit, Cause } from "effect"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import { program, settings as kernel } from "../harness/simulation/KernelProgram.ts"
import * as Simulation from "../src/testing/simulation/Simulation.ts"

interface Share {
  readonly seed: number
  readonly seeds: number
  readonly settings: Simulation.Settings
}

type Report = { readonly checked: Simulation.Checked } | { readonly failed: string }

const runShare = ({ seed, seeds, settings }: Share): Report => {
  const exit = Effect.runSyncExit(Simulation.check(program, { ...settings, seed, seeds }))
  if (Exit.isSuccess(exit)) return { checked: exit.value }
  const failed = Cause.squash(exit.cause)
  if (!(failed instanceof Simulation.SimulationFailed)) throw failed
  const { clients, faults, nodes, requests } = failed.settings
  const replay = `--seed ${failed.seed} --nodes ${nodes} --clients ${clients} --requests ${requests}`
  return { failed: `${failed.message}\n  npm run simulate -- --seeds 1 ${replay} --faults ${faults.join() || "none"}` }
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    nodes: { type: "string", default: String(Simulation.defaults.nodes) },
    clients: { type: "string", default: String(Simulation.defaults.clients) },
    requests: { type: "string", default: String(Simulation.defaults.requests) },
    faults: { type: "string" },
    workers: { type: "string", default: String(availableParallelism()) },
    trace: { type: "boolean", default: false }
  }
})

const settings: Simulation.Settings = {
  ...kernel,
  nodes: Number(values.nodes),
  clients: Number(values.clients),
  requests: Number(values.requests),
  faults: Simulation.allFaults.filter((fault) => values.faults?.split(",").includes(fault) ?? true)
}

/** A run makes much that nobody needs for long. */
const options = { resourceLimits: { maxYoungGenerationSizeMb: 64 } }

/** So many seeds are given to a thread at a time. */
const shareSize = 50

const inThreads = (seed: number, seeds: number): Promise<Report> => {
  const started = performance.now()
  let next = seed
  let [requests, events, hash] = [0, 0, 0n]
  return new Promise((resolve, reject) => {
    const workers = Array.from({ length: Number(values.workers) }, () => new Worker(new URL(import.meta.url), options))
    let working = workers.length
    const end = (report: Report) => {
      for (const worker of workers) void worker.terminate()
      resolve(report)
    }
    const give = (worker: Worker) => {
      const share: Share = { seed: next, seeds: Math.min(shareSize, seed + seeds - next), settings }
      next += share.seeds
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      if (share.seeds > 0) return worker.postMessage(share)
      working -= 1
      if (working > 0) return
      const seconds = (performance.now() - started) / 1_000
      console.log(`${seeds} seeds in ${seconds.toFixed(1)} s (${Math.round(seeds / seconds)} a second): nothing found.`)
      end({ checked: { seeds, requests, events, hash: Simulation.hashText(hash) } })
    }
    for (const worker of workers) {
      worker.on("error", reject)
      worker.on("message", (report: Report) => {
        if ("failed" in report) return end(report)
        requests += report.checked.requests
        events += report.checked.events
        hash ^= BigInt(`0x${report.checked.hash}`)
        give(worker)
      })
      give(worker)
    }
  })
}

if (isMainThread) {
  const [seed, seeds] = [Number(values.seed), Number(values.seeds)]
  if (values.trace) {
    const { findings, hash } = Simulation.run(program, seed, settings, (line) => console.log(line))
    console.log(`The hash of all that happened is ${hash}.`, findings)
  } else {
    const report = seeds === 1 ? runShare({ seed, seeds, settings }) : await inThreads(seed, seeds)
    if ("failed" in report) {
      console.log(report.failed)
      process.exitCode = 1
    } else {
      const { events, hash, requests } = report.checked
      console.log(`Requests: ${requests}; events stored: ${events}; hash of all runs: ${hash}.`)
    }
  }
} else {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.on("message", (share: Share) => parentPort?.postMessage(runShare(share)))
}
