/**
 * Makes tokens and keys that no server may take, by the ways in which tokens are forged, from a seed. `bad` is a kind, and
 * each kind has as many members as one asks for.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { base64url, type JWTPayload, SignJWT, UnsecuredJWT } from "jose"
import { audience, issuer, secondsNow, secret, token } from "./Tokens.ts"

const encode = (value: unknown): string => base64url.encode(JSON.stringify(value))
const claims = (role: string): JWTPayload => ({
  sub: "mallory",
  role,
  iss: issuer,
  aud: audience,
  exp: secondsNow() + 3600
})
const without = (name: string, role: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims(role)).filter(([key]) => key !== name))
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })

const signed = (
  header: { alg: string; [name: string]: unknown },
  payload: JWTPayload,
  key: Parameters<SignJWT["sign"]>[0]
) => new SignJWT(payload).setProtectedHeader(header).sign(key)

const bytes = (text: string) => new TextEncoder().encode(text)

/** Changes one character of a part of the token: of its header, its claims or its signature. */
const changed = async (part: number, at: number, role: string): Promise<string> => {
  const parts = (await token(claims(role))).split(".")
  const text = parts[part]!
  // The last character of a part may hold bits that do not count.
  const index = at % (text.length - 1)
  parts[part] = text.slice(0, index) + (text[index] === "A" ? "B" : "A") + text.slice(index + 1)
  return parts.join(".")
}

type Make = (number: number, role: string) => Promise<string> | string

export const kinds: Readonly<Record<string, Make>> = {
  "alg none": (_, role) => new UnsecuredJWT(claims(role)).encode(),
  "alg None in other letters": (n, role) =>
    `${encode({ alg: ["None", "NONE", "nOnE", "none "][n % 4] })}.${encode(claims(role))}.`,
  "alg none with the signature of another": async (_, role) =>
    `${encode({ alg: "none" })}.${encode(claims(role))}.${(await token(claims(role))).split(".")[2]}`,
  "another algorithm with the same secret": (n, role) =>
    signed({ alg: n % 2 === 0 ? "HS512" : "HS384" }, claims(role), bytes(secret)),
  "another secret": (n, role) => token(claims(role), `another secret of 32 bytes or more ${n}`),
  "an RSA key of somebody": (_, role) => signed({ alg: "RS256", kid: "1" }, claims(role), rsa.privateKey),
  "an EC key of somebody": (_, role) => signed({ alg: "ES256" }, claims(role), ec.privateKey),
  "a key in the header": (_, role) =>
    signed({ alg: "RS256", jwk: rsa.publicKey.export({ format: "jwk" }) }, claims(role), rsa.privateKey),
  "a URL of keys in the header": (_, role) =>
    signed(
      { alg: "RS256", jku: "http://127.0.0.1:9/jwks.json", x5u: "http://127.0.0.1:9/" },
      claims(role),
      rsa.privateKey
    ),
  "a kid that is a path or SQL": (n, role) =>
    signed(
      { alg: "HS256", kid: ["../../../dev/null", "' OR 1=1 --", "\u0000", "a".repeat(500)][n % 4]! },
      claims(role),
      bytes("\u0000".repeat(32))
    ),
  expired: (n, role) => token({ ...claims(role), exp: secondsNow() - 60 - n }),
  "not yet valid": (n, role) => token({ ...claims(role), nbf: secondsNow() + 600 + n }),
  "without an end": (_, role) => signed({ alg: "HS256" }, without("exp", role), bytes(secret)),
  "another audience": (n, role) => token({ ...claims(role), aud: ["other", "ordinal2", "Ordinal"][n % 3]! }),
  "no audience": (_, role) => signed({ alg: "HS256" }, without("aud", role), bytes(secret)),
  "another issuer": (n, role) => token({ ...claims(role), iss: `${issuer}${n % 2 === 0 ? "/" : ".evil"}` }),
  "no subject": (_, role) => signed({ alg: "HS256" }, without("sub", role), bytes(secret)),
  "a subject that is none": (n, role) =>
    token({ ...claims(role), sub: ["", "a\nb", "\u0000", "a".repeat(101)][n % 4]! }),
  "no role": () => token({ sub: "mallory" }),
  "an unknown role": (n) => token({ sub: "mallory", role: ["root", "Admin", "operator ", "__proto__"][n % 4] }),
  "a changed header": (n, role) => changed(0, n, role),
  "changed claims": (n, role) => changed(1, n, role),
  "a changed signature": (n, role) => changed(2, n, role),
  "a part too many or too few": async (n, role) => {
    const good = await token(claims(role))
    return n % 2 === 0 ? `${good}.${good}` : good.slice(0, good.lastIndexOf("."))
  },
  nested: async (_, role) =>
    signed({ alg: "HS256", cty: "JWT" }, { ...without("sub", role), nested: await token(claims(role)) }, bytes(secret)),
  "an unknown crit": (_, role) => `${encode({ alg: "HS256", crit: ["exp"], exp: 1 })}.${encode(claims(role))}.AAAA`,
  huge: (n, role) => token({ ...claims(role), filler: "x".repeat(8192 + (n % 2000)) }),
  "random text": (n) => randomBytes(1 + (n % 200)).toString("base64url"),
  "a key that nobody made": () => `ordk_${randomBytes(8).toString("hex")}_${randomBytes(32).toString("base64url")}`,
  "a key of another form": (n) => ["ordk_", "ordk_1_2", `ordk_${"0".repeat(16)}_${"' OR ''='".repeat(4)}`][n % 3]!
}
