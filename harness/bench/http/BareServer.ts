/**
 * Answers every request after parsing its body if there is one: what `node:http` costs by itself. `POST` and `GET` are
 * answered with a receipt; `GET /list` with the text that was sent to this process, which is as long as the one compared.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const receipt = JSON.stringify({
  orderId: "ord_01a21ced-35c8-77a9-a7b0-f9f27a03c044",
  version: 2,
  position: 5,
  commandId: "01a21ced-35c9-764e-9dd2-5d8255620a59",
  events: ["order.placed.v1", "order.confirmed.v1"],
  status: "confirmed",
  paymentStatus: "unpaid"
})
let list = Buffer.alloc(0)
process.on("message", (text: string) => (list = Buffer.from(text)))

const server = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => (body += chunk))
  request.on("end", () => {
    if (body !== "") JSON.parse(body)
    const answer = request.url === "/list" ? list : receipt
    const headers = { "content-type": "application/json", "content-length": answer.length }
    response.writeHead(request.method === "POST" ? 202 : 200, headers)
    response.end(answer)
  })
})
server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port))
