import { access, readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { filesIn, output, project, testsIn } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"

it("the code of AGENTS.md compiles, prints what is said, and its tests hold", async () => {
  const text = await readFile(join(root, "AGENTS.md"), "utf8")
  const folder = await project(filesIn(text))
  const [, printed] = /`node book\.ts` prints `(.*?)`/.exec(text) ?? []
  assert.strictEqual(await output(join(folder, "book.ts")), `${printed}\n`)
  assert.match(await testsIn(folder), /Test Files +1 passed/)
})

it("the links of AGENTS.md lead to pages of the package, and to headings that they have", async () => {
  const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  assert.includeMembers(files, ["AGENTS.md", "docs"])
  const text = await readFile(join(root, "AGENTS.md"), "utf8")
  for (const [, page = "", heading] of text.matchAll(/\]\((?!https:)([^)#]+)(?:#([^)]+))?\)/g)) {
    await access(join(root, page))
    const headings = [...(await readFile(join(root, page), "utf8")).matchAll(/^#+ (.*)$/gm)]
    const anchors = headings.map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-")
    )
    if (heading !== undefined) assert.include(anchors, heading, page)
  }
})
