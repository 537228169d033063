// `npm run simulate -- run --gateways 20`: prepares the machine, then lets simulated gateways report to a collector.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('preview')
const { main } = await import(pathToFileURL(join(repository, 'dist', 'deploy', 'simulator', 'main.js')).href)
await main(process.argv.slice(2))
