/** nginx from Debian's package, unpacked into the folder, unless this machine has one: it needs no rights for that. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { listening, run, type Service, start, stop } from "./Service.ts"

const unpacked = (folder: string) => join(folder, "root/usr/sbin/nginx")

/** The one of this machine, or the one that was unpacked. */
export const programOf = (folder: string): string | undefined => {
  if (spawnSync("nginx", ["-v"]).status === 0) return "nginx"
  return existsSync(unpacked(folder)) ? unpacked(folder) : undefined
}

/** The example of this repository, with other addresses: of the port, and of the processes of each role. */
export const exampleConf = (port: number, servers: Readonly<Record<"command" | "query", ReadonlyArray<string>>>) => {
  const example = readFileSync(join(import.meta.dirname, "../../deploy/nginx/ordinal.conf"), "utf8")
  const ofRole = (role: "command" | "query") => (block: string) => {
    const [first = ""] = /^ *server .*;$/m.exec(block) ?? []
    const own = servers[role].map((address) => first.replace(/127\.0\.0\.1:\d+/, address)).join("\n")
    return block.replace(/(?:^ *server .*;\n)+/m, `${own}\n`)
  }
  return example
    .replace(/upstream ordinal_command \{[^}]*\}/, ofRole("command"))
    .replace(/upstream ordinal_query \{[^}]*\}/, ofRole("query"))
    .replace(/listen \d+;/, `listen 127.0.0.1:${port};`)
}

/** As root it would work as somebody who may not enter the folder. */
const user = process.getuid?.() === 0 ? "user root root;" : ""

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]

/** Writes a configuration around what belongs into its http block; gives the arguments to start with. Every file is in the folder. */
export const argumentsOf = (folder: string, http: string): ReadonlyArray<string> => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off;
${user}
worker_processes 1;
pid own.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${name};`).join("\n")}
${http}
}
`
  )
  return ["-p", `${folder}/`, "-e", "stderr", "-c", "nginx.conf"]
}

export const nginx: Service = {
  name: "nginx",
  setting: "NGINX_URL",
  install: async (folder) => {
    if (programOf(folder) !== undefined) return
    mkdirSync(folder, { recursive: true })
    await run("apt-get", ["download", "nginx"], folder).catch(async () => {
      await run("apt-get", ["update"], folder)
      await run("apt-get", ["download", "nginx"], folder)
    })
    await run("sh", ["-c", "dpkg-deb -x nginx_*.deb root"], folder)
  },
  up: async (folder, { port = 8080 }) => {
    const addresses = (ports: ReadonlyArray<number>) => ports.map((port) => `127.0.0.1:${port}`)
    const conf = exampleConf(port, { command: addresses([3000, 3010, 3020]), query: addresses([3030, 3040]) })
    start(folder, "nginx", programOf(folder) ?? "nginx", argumentsOf(folder, conf))
    await listening(folder, "nginx", port)
    return `http://127.0.0.1:${port}`
  },
  down: (folder) => stop(folder, "nginx")
}
