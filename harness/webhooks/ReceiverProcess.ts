/** Runs a receiver of webhooks as a process of its own, which can be killed, stopped and told to fail. */
import { fork } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { untilSo } from "../clocks/Until.ts"
import type { Received } from "./Receiver.ts"
import type { Mode } from "./receiverMain.ts"

export interface Options {
  readonly port: number
  /** What was accepted, a line of JSON for each. */
  readonly file: string
  readonly secret: string
}

/** Starts it, and waits until it listens. */
export const start = async ({ file, port, secret }: Options) => {
  const child = fork(join(import.meta.dirname, "receiverMain.ts"), [String(port), file, secret], {
    execArgv: ["--disable-warning=ExperimentalWarning"]
  })
  const reports: Array<{ readonly what: string; readonly mode: Mode }> = []
  child.on("message", (report: { readonly what: string; readonly mode: Mode }) => reports.push(report))
  let isGone = false
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  void exit.then(() => (isGone = true))
  /** Waits for one more report than there were. */
  const reported = async (what: string, seen: number) =>
    untilSo(
      () => {
        if (isGone) throw new Error("The receiver is gone.")
        return reports.filter((report) => report.what === what).length > seen
      },
      { what: `The receiver's report "${what}"` }
    )
  const count = (what: string) => reports.filter((report) => report.what === what).length
  await reported("listening", 0)
  return {
    exit,
    count,
    reported,
    become: async (mode: Mode) => {
      const seen = count("mode")
      child.send(mode)
      await reported("mode", seen)
    },
    /** SIGSTOP and SIGCONT. */
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    kill: async () => {
      child.kill("SIGKILL")
      await exit
    }
  }
}

export type ReceiverProcess = Awaited<ReturnType<typeof start>>

/** Begins without anything accepted. */
export const forgetAll = (file: string): void => writeFileSync(file, "")

/** What was accepted so far, and the faults that the receiver noted. A line that was cut off by a kill was not accepted. */
export const accepted = (file: string) => {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1)
  const all = lines.map((line) => JSON.parse(line) as Partial<Received> & { readonly fault?: string })
  return {
    events: all.filter(({ fault }) => fault === undefined) as ReadonlyArray<Received>,
    faults: all.flatMap(({ fault }) => fault ?? [])
  }
}
