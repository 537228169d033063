// `npm run bench [-- PART …]`: prepares the machine, then measures what the design sets goals for: the parts that are named,
// else those that take some minutes together.
// Prints a table and writes docs/bench/latest.json. On a shared machine look at the ratios, not at the times.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('test', 'bench')
// Only now: both need the packages that the preparation installs.
const { buildAgent } = await import('../bundle/build-agent.mjs')
await buildAgent(join(repository, 'dist', 'bundle'))
const { bench } = await import(pathToFileURL(join(repository, 'dist', 'test', 'bench', 'main.js')).href)
try {
  await bench(repository, process.argv.slice(2), (line) => process.stdout.write(`${line}\n`))
} catch (error) {
  process.stdout.write(`${error.stack}\n`)
  process.exitCode = 70
}
