/** The nginx of deploy/nginx/ordinal.conf in front of processes with roles, in a temporary folder that goes with it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Nginx from "../services/Nginx.ts"
import { listening, start as startService, stop as stopService } from "../services/Service.ts"
import { freePort } from "./FreePort.ts"

const installed = join(process.env["SERVICES_DIR"] ?? join(import.meta.dirname, "../../.services"), "nginx")

export interface NginxServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

interface Behind {
  readonly of: (role: string) => ReadonlyArray<{ readonly url: string }>
}

/** Fetches nginx, unless this machine has one, and starts it before the processes for commands and for queries. */
export const start = async ({ of }: Behind): Promise<NginxServer> => {
  await Nginx.nginx.install(installed)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-nginx-"))
  const port = await freePort()
  const addresses = (role: string) => of(role).map(({ url }) => new URL(url).host)
  const conf = Nginx.exampleConf(port, { command: addresses("command"), query: addresses("query") })
  const stop = async () => {
    await stopService(folder, "nginx")
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    startService(folder, "nginx", Nginx.programOf(installed) ?? "nginx", Nginx.argumentsOf(folder, conf))
    await listening(folder, "nginx", port)
    return { url: `http://127.0.0.1:${port}`, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}
