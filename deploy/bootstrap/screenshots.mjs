// `npm run screenshots`: prepares the machine, then takes the pictures of docs/pages from a running collector.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('test')
const { takePictures } = await import(pathToFileURL(join(repository, 'dist', 'test', 'screenshots', 'main.js')).href)
try {
  await takePictures(join(repository, 'docs', 'pages'), (line) => process.stdout.write(`${line}\n`))
} catch (error) {
  process.stdout.write(`${error.stack}\n`)
  process.exitCode = 70
}
