#!/usr/bin/env node
/** Starts the command line. The only file that runs anything. */
import * as module from "node:module"

// Compiled code is kept for the next start, which comes up sooner by it. Deno has a cache of its own.
if ("enableCompileCache" in module) module.enableCompileCache()

const { run } = await import("./server/cli/CommandLine.ts")
run()
