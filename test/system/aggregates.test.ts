import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { assert, it, onTestFinished } from "vitest"
import { compiled } from "../../harness/fixtures/Programs.ts"
import { missing, root } from "../../harness/fixtures/Readme.ts"
import { freePort } from "../../harness/servers/FreePort.ts"

const run = promisify(execFile)

const ended = async (program: ChildProcess) => {
  program.kill("SIGTERM")
  if (program.exitCode === null) await once(program, "exit")
}

it("docs/aggregates.md's program compiles, serves, and gives the answers that are shown", async () => {
  const text = await readFile(join(root, "docs", "aggregates.md"), "utf8")
  const [code, commands, shown] = ["ts", "bash", "json"].map(
    (language) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(text)?.[1] ?? ""
  )
  const [program] = await compiled([code!])
  const port = await freePort()
  const args = ["--conditions=ordinal-source", "--disable-warning=ExperimentalWarning", program!]
  const server = spawn(process.execPath, args, {
    cwd: dirname(program!),
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"]
  })
  onTestFinished(() => ended(server))
  for await (const line of createInterface(server.stdout)) if (line.includes(`:${port}`)) break
  const script = commands!.replaceAll("localhost:4000", `127.0.0.1:${port}`).replaceAll("\n", "; echo\n")
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script])
  assert.isEmpty(missing({ commands: commands!, shown: shown! }, stdout), stdout)
})
