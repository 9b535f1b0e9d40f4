/** The settings as operators may see them: what could hold a secret is shown without it. */
import { Effect } from "effect"
import type { ShownSetting } from "../http/admin/ProcessAdminHandlers.ts"
import * as Settings from "./Settings.ts"

const hidden = "***"

/** A URL may hold a password before its host, and in its query. */
const withoutSecrets = (text: string): string => {
  const url = URL.parse(text)
  // A password that should have been percent-encoded is taken for something else.
  if (url === null || (url.host !== "" && /[@#]/.test(url.pathname + url.search + url.hash))) return hidden
  if (url.password !== "") url.password = hidden
  for (const name of url.searchParams.keys()) url.searchParams.set(name, hidden)
  return url.href
}

export const make = Effect.map(Settings.written, (written): ReadonlyArray<ShownSetting> =>
  written.map(({ given, name, setting, text }) => ({
    name,
    value: setting.secret === true ? withoutSecrets(text) : text,
    isDefault: !given,
    meaning: setting.description
  }))
)
