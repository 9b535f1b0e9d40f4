/**
 * Receives webhooks as a subscriber does: verifies each request with the Standard Webhooks library, which had no part in
 * making it, and keeps what came in the order in which it came. What it answers is up to the test.
 */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Webhook } from "standardwebhooks"

export interface Received {
  readonly id: string
  /** The order. */
  readonly subject: string
  readonly streamversion: number
  readonly type: string
}

/** The request as it came, after its body; `event` is undefined if the signature is not good. */
export interface Request {
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  readonly event: Received | undefined
}

/** Answers a request: with a status, or by itself. */
export type Answer = (request: Request, response: ServerResponse) => number | undefined

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString("utf8")
}

const verified = (secret: string, body: string, headers: IncomingMessage["headers"]): Received | undefined => {
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>) as Received
  } catch {
    return undefined
  }
}

export interface Options {
  readonly port?: number
  readonly secret: () => string
  readonly answer: Answer
}

export const start = async ({ answer, port = 0, secret }: Options) => {
  const server = createServer((incoming, response) => {
    void readBody(incoming).then(
      (body) => {
        const { headers } = incoming
        const status = answer({ headers, body, event: verified(secret(), body, headers) }, response)
        if (status !== undefined) response.writeHead(status).end()
      },
      // The sender hung up.
      () => {}
    )
  })
  await once(server.listen(port, "127.0.0.1"), "listening")
  const { port: taken } = server.address() as AddressInfo
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}/hook`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}

/** Lists what is wrong with the first occurrences of what came: they are the log's events, those of an order in order. */
export const faultsOf = (
  came: ReadonlyArray<Received>,
  log: ReadonlyArray<{ readonly eventId: string; readonly stream: string; readonly version: number }>
): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const ids = new Set<string>()
  const versions = new Map<string, number>()
  for (const { id, streamversion, subject } of came) {
    if (ids.has(id)) continue
    ids.add(id)
    const before = versions.get(subject) ?? 0
    if (streamversion !== before + 1) faults.push(`${subject}: version ${streamversion} came behind ${before}`)
    versions.set(subject, streamversion)
  }
  const known = new Set(log.map(({ eventId }) => eventId))
  for (const { eventId, stream, version } of log) {
    if (!ids.has(eventId)) faults.push(`version ${version} of ${stream} never came`)
  }
  for (const id of ids) if (!known.has(id)) faults.push(`event ${id} is not in the log`)
  return faults
}
