import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { assert, it, onTestFinished } from "vitest"
import { filesIn, output, project, sources } from "../../harness/fixtures/Programs.ts"
import { missing, root } from "../../harness/fixtures/Readme.ts"
import { freePort } from "../../harness/servers/FreePort.ts"

const run = promisify(execFile)

const ended = async (program: ChildProcess) => {
  program.kill("SIGTERM")
  if (program.exitCode === null) await once(program, "exit")
}

it("docs/aggregates.md's files compile, serve, and give the answers that are shown", async () => {
  const text = await readFile(join(root, "docs", "aggregates.md"), "utf8")
  const [commands = "", shown = ""] = ["bash", "json"].map(
    (language) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(text)?.[1]
  )
  const port = await freePort()
  const here = (text: string) => text.replaceAll("localhost:4000", `127.0.0.1:${port}`)
  const folder = await project(filesIn(text).map(([name, code]) => [name, here(code)]))
  const server = spawn(process.execPath, [sources, "--disable-warning=ExperimentalWarning", "server.ts"], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"]
  })
  onTestFinished(() => ended(server))
  for await (const line of createInterface(server.stdout)) if (line.includes(`:${port}`)) break
  const script = here(commands).replaceAll("\n", "; echo\n")
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script])
  assert.isEmpty(missing({ commands, shown }, stdout), stdout)
  const [, printed = ""] = /`node pay\.ts` prints `(.*?)`/.exec(text) ?? []
  assert.strictEqual(await output(join(folder, "pay.ts")), `${printed}\n`)
})
