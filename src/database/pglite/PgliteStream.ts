/**
 * Lets the PostgreSQL client talk to PGlite: a byte stream that hands each frame to the embedded server and gives the
 * server's answer back.
 *
 * **Gotchas**: PGlite has one session, shared by all streams, so at most one may be open at a time. A new stream first
 * clears what its predecessor left (an open transaction, named statements). The client sends cancel requests on a
 * stream of their own, which is dropped, because the embedded server can't be interrupted.
 */
import type { PGlite } from "@electric-sql/pglite"
import { Duplex } from "node:stream"
import { causeText } from "../CauseText.ts"

const cancelRequestCode = 80877102
const terminate = "X".charCodeAt(0)

export const make = (database: PGlite) => (): Duplex => {
  let started = false

  /** `execProtocolRaw` would do the same, but also parses the answer, and keeps all that it has ever parsed. */
  const answerOf = async (frame: Buffer): Promise<Buffer> => {
    const parts: Array<Buffer> = []
    await database.execProtocolRawStream(frame, {
      // The bytes are a part of PGlite's own memory.
      onRawData: (bytes) => void parts.push(Buffer.from(bytes))
    })
    return Buffer.concat(parts)
  }

  const start = async (frame: Buffer) => {
    started = true
    await database.exec("ROLLBACK")
    await database.exec("DISCARD ALL")
    await database.exec("SET enable_seqscan = off; SET jit = off")
    return answerOf(frame)
  }

  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!started && chunk.length >= 8 && chunk.readInt32BE(4) === cancelRequestCode) {
        stream.destroy()
        return done()
      }
      if (started && chunk[0] === terminate) return done()
      const answer = started ? answerOf(chunk) : start(chunk)
      answer.then(
        (bytes) => {
          if (bytes.length > 0 && !stream.destroyed) stream.push(bytes)
          // Sockets are served before the next statement. Statement upon statement would leave new connections waiting,
          // because each turn of the event loop accepts one of them.
          setImmediate(done)
        },
        (cause: unknown) => done(cause instanceof Error ? cause : new Error(causeText(cause), { cause }))
      )
    }
  })
  setImmediate(() => stream.emit("connect"))
  return stream
}
