import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PreviewPorts } from './ports.ts'

/** `. .cache/preview/env` makes the keepseal commands speak to this collector. */
export function writeCommands(repository: string, home: string, ports: PreviewPorts): void {
  const bin = join(home, 'bin')
  mkdirSync(bin, { recursive: true })
  const programs = { keepseal: 'collector/cli/client/main.js', 'keepseal-agent': 'agent/main.js' }
  for (const [name, program] of Object.entries(programs)) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nexec "${process.execPath}" "${join(repository, 'dist', program)}" "$@"\n`,
    )
    chmodSync(join(bin, name), 0o755)
  }
  const token = readFileSync(join(home, 'api-token'), 'utf8').trim()
  const lines = {
    KEEPSEAL_URL: `https://localhost:${ports.https}`,
    KEEPSEAL_TOKEN: token,
    KEEPSEAL_CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
    KEEPSEAL_AGENT_STATE__DIRECTORY: join(home, 'agent'),
    PATH: `${bin}:$PATH`,
  }
  const text = Object.entries(lines).map(([name, value]) => `export ${name}="${value}"`)
  writeFileSync(join(home, 'env'), `${text.join('\n')}\n`, { mode: 0o600 })
}
