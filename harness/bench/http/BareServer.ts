/** Answers every request with a receipt, after parsing the body if there is one: what `node:http` costs by itself. */
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

const server = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => (body += chunk))
  request.on("end", () => {
    if (body !== "") JSON.parse(body)
    response.writeHead(200, { "content-type": "application/json", "content-length": receipt.length })
    response.end(receipt)
  })
})
server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port))
