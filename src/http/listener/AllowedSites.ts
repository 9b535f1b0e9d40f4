/** Says which names and web sites this server trusts beyond its own. `ForeignRequests` refuses all others. */
import { Context } from "effect"

export interface AllowedSites {
  /**
   * Requests may call the server by these names, besides `localhost` and addresses. The check stands in for
   * authentication; a server that authenticates every request does without it: `"any"`.
   */
  readonly hosts: ReadonlyArray<string> | "any"
  /** Pages of these origins may use the API, as in `https://shop.example`. */
  readonly origins: ReadonlyArray<string>
  /** `X-Forwarded-Host` counts if it comes from these addresses or networks, as in `10.0.0.0/8`. */
  readonly proxies: ReadonlyArray<string>
}

export const defaults: AllowedSites = { hosts: [], origins: [], proxies: [] }

export const AllowedSites = Context.Reference<AllowedSites>("ordinal/http/listener/AllowedSites", {
  defaultValue: () => defaults
})
