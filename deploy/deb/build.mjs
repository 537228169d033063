// `npm run build:deb -- agent|collector [--target NAME] [--system-node] [--out DIRECTORY] [--version VERSION] [--fast]`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repository } from '../bundle/build-agent.mjs'
import { ownTarget } from '../bundle/targets.mjs'
import { buildAgentPackage } from './agent.mjs'
import { buildCollectorPackage } from './collector.mjs'

const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: 'string', default: ownTarget() },
      'system-node': { type: 'boolean', default: false },
      out: { type: 'string', default: join(repository, 'dist', 'deb') },
      version: { type: 'string', default: version },
      fast: { type: 'boolean', default: false },
    },
  })
  const wanted = { ...values, runtime: !values['system-node'] }
  const [name] = positionals
  if (positionals.length !== 1 || (name !== 'agent' && name !== 'collector')) {
    throw Object.assign(new Error('say which package: agent or collector'), { code: 'ERR_PARSE_ARGS_NAME' })
  }
  const file = await (name === 'agent' ? buildAgentPackage(wanted) : buildCollectorPackage(wanted))
  process.stdout.write(`${file}\n`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 70
}
