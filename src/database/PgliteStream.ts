/**
 * PGlite behind the PostgreSQL client: a byte stream that hands every frame to the embedded server and gives its answer
 * back.
 *
 * **Gotchas**
 *
 * PGlite has one session, and every stream shares it: at most one may be open at a time. A new one first clears what
 * its predecessor left (an open transaction, named statements). Cancel requests come on a stream of their own and are
 * dropped: the embedded server can't be interrupted.
 */
import type { PGlite } from "@electric-sql/pglite"
import { Duplex } from "node:stream"

const cancelRequestCode = 80877102
const terminate = "X".charCodeAt(0)

export const make = (database: PGlite) => (): Duplex => {
  let started = false

  const start = async (frame: Buffer) => {
    started = true
    await database.exec("ROLLBACK")
    await database.exec("DISCARD ALL")
    await database.exec("SET enable_seqscan = off; SET jit = off")
    return database.execProtocolRaw(frame)
  }

  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!started && chunk.length >= 8 && chunk.readInt32BE(4) === cancelRequestCode) {
        stream.destroy()
        return done()
      }
      if (started && chunk[0] === terminate) return done()
      const answer = started ? database.execProtocolRaw(chunk) : start(chunk)
      answer.then(
        (bytes) => {
          if (bytes.length > 0 && !stream.destroyed) stream.push(bytes)
          // Not before sockets were served: statement on statement would leave new connections waiting, of which each
          // turn of the event loop accepts one.
          setImmediate(done)
        },
        (cause: unknown) => done(cause instanceof Error ? cause : new Error(String(cause)))
      )
    }
  })
  setImmediate(() => stream.emit("connect"))
  return stream
}
