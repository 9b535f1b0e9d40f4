/** Runs `npm run bench -- …` as a process, on this PostgreSQL. */
import { execFile } from "node:child_process"

export interface BenchOutput {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const run = (databaseUrl: string, args: ReadonlyArray<string>): Promise<BenchOutput> =>
  new Promise((resolve) => {
    const env = { ...process.env, TEST_DATABASE_URL: databaseUrl }
    execFile(process.execPath, ["scripts/bench/main.ts", ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })

/** The JSON that a benchmark ends with; its caller knows what is in it. */
// oxlint-disable-next-line typescript/no-explicit-any
export const result = async (databaseUrl: string, ...args: ReadonlyArray<string>): Promise<any> => {
  const { code, err, out } = await run(databaseUrl, args)
  if (code !== 0) throw new Error(`The benchmark ended with ${code}: ${err}${out}`)
  return JSON.parse(out.trimEnd().split("\n").at(-1)!)
}
