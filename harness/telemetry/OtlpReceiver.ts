/**
 * Receives telemetry as an OpenTelemetry collector does, over HTTP in protobuf or JSON, and keeps the spans. It reads the wire
 * format by itself, by the numbers of opentelemetry-proto 1, so that it shares nothing with the exporter.
 */
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly attributes: Readonly<Record<string, string>>
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
}

type Field = number | bigint | Uint8Array

/** Reads a message: the values of each field, by its number. */
const fieldsOf = (bytes: Uint8Array): ReadonlyMap<number, ReadonlyArray<Field>> => {
  const fields = new Map<number, Array<Field>>()
  let at = 0
  const varint = (): number => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error("The message ends too early.")
    return bytes.subarray(at, (at += length))
  }
  const read = (wireType: number): Field => {
    switch (wireType) {
      case 0:
        return varint()
      case 1:
        return Buffer.from(take(8)).readBigUInt64LE()
      case 2:
        return take(varint())
      case 5:
        return Buffer.from(take(4)).readUInt32LE()
      default:
        throw new Error(`There is no wire type ${wireType}.`)
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const values = fields.get(tag >>> 3) ?? []
    values.push(read(tag & 7))
    fields.set(tag >>> 3, values)
  }
  return fields
}

type Message = ReadonlyMap<number, ReadonlyArray<Field>>

const bytesOf = (message: Message, field: number): ReadonlyArray<Uint8Array> =>
  (message.get(field) ?? []) as ReadonlyArray<Uint8Array>
const messages = (message: Message, field: number) => bytesOf(message, field).map(fieldsOf)
const text = (message: Message, field: number) => Buffer.from(bytesOf(message, field)[0] ?? []).toString()
const hex = (message: Message, field: number) => Buffer.from(bytesOf(message, field)[0] ?? []).toString("hex")

/** Gives a value as text: string, bool, int and double are the fields 1 to 4. */
const valueOf = (value: Message | undefined): string => {
  if (value === undefined) return ""
  return value.has(1) ? text(value, 1) : String(value.get(2)?.[0] ?? value.get(3)?.[0] ?? value.get(4)?.[0] ?? "")
}

const attributesOf = (message: Message, field: number) =>
  Object.fromEntries(messages(message, field).map((pair) => [text(pair, 1), valueOf(messages(pair, 2)[0])]))

const spansOfProtobuf = (body: Uint8Array): ReadonlyArray<Span> =>
  messages(fieldsOf(body), 1).flatMap((resource) =>
    messages(resource, 2).flatMap((scope) =>
      messages(scope, 2).map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        name: text(span, 5),
        kind: Number(span.get(6)?.[0] ?? 0),
        attributes: attributesOf(span, 9),
        links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) }))
      }))
    )
  )

interface JsonSpan extends Omit<Span, "attributes" | "links"> {
  readonly attributes?: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
  readonly links?: Span["links"]
}

interface JsonTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<JsonSpan> }>
  }>
}

const spansOfJson = (body: Uint8Array): ReadonlyArray<Span> =>
  (JSON.parse(Buffer.from(body).toString()) as JsonTraces).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes = [], links = [], parentSpanId = "", ...span }) => ({
        ...span,
        parentSpanId,
        links,
        attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]))
      }))
    )
  )

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Uint8Array
}

/** Starts it on a free port. `answer` gives the status of each answer, or a promise of it. */
export const start = async (answer: (received: Received) => number | Promise<number> = () => 200) => {
  const requests: Array<Received> = []
  const spans: Array<Span> = []
  const receive = async (incoming: IncomingMessage): Promise<number> => {
    const chunks: Array<Uint8Array> = []
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
    const received = { path: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(chunks) }
    const status = await answer(received)
    if (status !== 200) return status
    requests.push(received)
    if (received.path !== "/v1/traces") return status
    const isJson = incoming.headers["content-type"] === "application/json"
    spans.push(...(isJson ? spansOfJson : spansOfProtobuf)(received.body))
    return status
  }
  const server = createServer((incoming, response) => {
    receive(incoming).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy()
    )
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests: requests as ReadonlyArray<Received>,
    spans: spans as ReadonlyArray<Span>,
    stop: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

export type OtlpReceiver = Awaited<ReturnType<typeof start>>
