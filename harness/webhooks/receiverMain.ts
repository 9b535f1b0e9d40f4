/**
 * A receiver as a process of its own, for `ReceiverProcess`. What it has accepted is in its file before it answers, so it
 * survives a kill -9, as a subscriber's database does. It answers as it is told by messages, and reports what it did.
 */
import { appendFileSync } from "node:fs"
import { start } from "./Receiver.ts"

/** `dying` accepts an event and is gone before it answers. */
export type Mode = "sound" | "failing" | "hanging" | "dying"

const [, , port = "0", file = "", secret = ""] = process.argv
let mode: Mode = "sound"

const report = (what: string) => process.send?.({ what, mode })

const accept = (event: object) => appendFileSync(file, `${JSON.stringify(event)}\n`)

await start({
  port: Number(port),
  secret: () => secret,
  answer: ({ event }, response) => {
    if (event === undefined) {
      accept({ fault: "a request whose signature is not good" })
      return 401
    }
    const { id, streamversion, subject, type } = event
    switch (mode) {
      case "failing":
        report("failed")
        return 500
      case "hanging":
        response.on("close", () => report("hung"))
        return undefined
      case "dying":
        accept({ id, subject, streamversion, type })
        return process.kill(process.pid, "SIGKILL") ? undefined : 500
      case "sound":
        accept({ id, subject, streamversion, type })
        return 204
    }
  }
})

process.on("message", (next: Mode) => {
  mode = next
  report("mode")
})
report("listening")
