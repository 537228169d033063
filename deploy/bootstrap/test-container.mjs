// `npm run test:container`: prepares the machine, then builds the collector's image and runs it, and renders the chart by
// Go's template engine. Apart from `npm test`, for it takes many minutes, wants root, and keeps a tree of Debian.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('preview', 'container')

const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs')
const parameters = ['run', '--config', join('test', 'container', 'vitest.config.mjs'), ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, [vitest, ...parameters], { cwd: repository, stdio: 'inherit' })
process.exitCode = status ?? 1
