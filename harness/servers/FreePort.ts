import { createServer } from "node:net"

/** Below those that operating systems give out: nobody who asks for any port, or makes a connection, gets one of these. */
const [least, most] = [20_000, 32_000]

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/** A port such that those at these distances from it are free, too. */
export const freePorts = async (distances: ReadonlyArray<number>): Promise<number> => {
  for (;;) {
    const port = least + Math.floor(Math.random() * (most - least))
    const free = await Promise.all(distances.map((distance) => isFree(port + distance)))
    if (!free.includes(false)) return port
  }
}

/** A port for a server that is to be told one, or that comes back to it after it was away. */
export const freePort = (): Promise<number> => freePorts([0])
