import { assert, describe, it } from "vitest"
import { Webhook } from "standardwebhooks"
import { headers, makeSecret } from "../../../src/webhooks/Signatures.ts"

const signed = () => ({ id: "evt_1", timestamp: Math.floor(Date.now() / 1000), body: `{"a":"ü"}` })

describe("a request's signature", () => {
  it("is verified by the Standard Webhooks library, by the secret that made it and by no other", () => {
    const secret = makeSecret()
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    const request = signed()
    assert.deepStrictEqual(new Webhook(secret).verify(request.body, headers([secret], request)), { a: "ü" })
    assert.throws(() => new Webhook(makeSecret()).verify(request.body, headers([secret], request)))
    assert.throws(() => new Webhook(secret).verify(`${request.body} `, headers([secret], request)))
    assert.throws(() => new Webhook(secret).verify(request.body, headers([secret], { ...request, timestamp: 1 })))
  })

  it("is there by both secrets while one takes the place of the other", () => {
    const [secret, previous] = [makeSecret(), makeSecret()]
    const request = signed()
    for (const one of [secret, previous]) {
      assert.deepStrictEqual(new Webhook(one).verify(request.body, headers([secret, previous], request)), { a: "ü" })
    }
  })

  it("is the one that the specification's example has", () => {
    const example = headers(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: 1614265330,
      body: `{"test": 2432232314}`
    })
    assert.strictEqual(example["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  })
})
