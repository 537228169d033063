// `npm run test:vm`: prepares the machine, then boots a real gateway in a virtual machine. Apart from `npm test`, for it
// takes many minutes, wants root, and keeps a tree of Debian in the cache.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('preview', 'vm')

const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs')
const parameters = ['run', '--config', join('test', 'vm', 'vitest.config.mjs'), ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, [vitest, ...parameters], { cwd: repository, stdio: 'inherit' })
process.exitCode = status ?? 1
