/** Bytes to a port, and what comes back until the server closes: for what `fetch` would never send. */
import { connect } from "node:net"
import { now } from "../clocks/RunningTime.ts"

export interface RawAnswer {
  /** Milliseconds until the connection was closed. */
  readonly closedAfter: number
  readonly text: string
  readonly status: number
  /** The server took so many bytes before it closed. */
  readonly sent: number
}

/** Milliseconds until the server must have closed. */
const longest = 60_000

/** Sends the chunks one after the other, as fast as the server takes them, with a pause of so many milliseconds. */
export const raw = (port: number, chunks: Iterable<string>, pause = 0): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1")
    const started = now()
    let text = ""
    let open = true
    socket.on("data", (data) => (text += data.toString("utf8")))
    socket.on("error", () => {})
    const watch = setInterval(() => {
      if (now() - started < longest) return
      reject(new Error(`the server did not close in ${longest} ms, having answered: ${text.slice(0, 1_000)}`))
      socket.destroy()
    }, 250)
    socket.on("close", () => {
      open = false
      clearInterval(watch)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
      resolve({ closedAfter: now() - started, text, status, sent: socket.bytesWritten })
    })
    const send = async () => {
      for (const chunk of chunks) {
        if (!open) return
        if (!socket.write(chunk)) {
          await new Promise<void>((next) => {
            socket.once("drain", next)
            socket.once("close", next)
          })
        }
        if (pause > 0) await new Promise((next) => setTimeout(next, pause))
      }
    }
    void send()
  })

/** This is the problem document in it. */
export const problemOf = ({ text }: RawAnswer) => JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4))
