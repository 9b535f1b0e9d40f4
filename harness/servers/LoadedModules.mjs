/** Loaded by `--import` before a server: prints the name of each package that is resolved from then on, once. */
import { registerHooks } from "node:module"

const seen = new Set()

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url) ?? []
    if (name !== undefined && !seen.has(name)) {
      seen.add(name)
      process.stderr.write(`loaded package ${name}\n`)
    }
    return resolved
  }
})
