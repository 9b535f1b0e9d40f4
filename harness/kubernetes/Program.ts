/** Runs a program to its end and gives what it printed; fails with what it said. */
import { spawn } from "node:child_process"

export interface Ran {
  readonly code: number | null
  readonly output: string
  readonly complaints: string
}

export const ended = (
  program: string,
  args: ReadonlyArray<string>,
  { env = {}, input = "" }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {}
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } })
    const [output, complaints]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (bytes: Buffer) => void output.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => void complaints.push(bytes))
    child.once("error", reject)
    child.once("close", (code) =>
      resolve({ code, output: Buffer.concat(output).toString(), complaints: Buffer.concat(complaints).toString() })
    )
    // It may end before it has read all.
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })

export const run = async (...given: Parameters<typeof ended>): Promise<string> => {
  const { code, complaints, output } = await ended(...given)
  if (code === 0) return output
  const [program, args] = given
  throw new Error(`${program} ${args.slice(0, 5).join(" ")} ended with ${code}: ${complaints}${output}`.trim())
}
