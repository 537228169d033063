// `npm run preview`: prepares the machine, then brings up a collector and this machine's own agent.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('preview')
const { preview } = await import(pathToFileURL(join(repository, 'dist', 'deploy', 'preview', 'main.js')).href)
try {
  await preview(repository, (line) => process.stdout.write(`${line}\n`))
} catch (error) {
  process.stdout.write(`${error.message}\n`)
  process.exitCode = 70
}
