import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiClient } from './api-client.ts'
import { startChild } from './child.ts'
import { loadExample } from './example/load.ts'
import type { PreviewPorts } from './ports.ts'
import { agentSettings } from './settings.ts'
import type { PreviewTpm } from './tpm.ts'

export async function enrol(
  repository: string,
  home: string,
  ports: PreviewPorts,
  tpm: PreviewTpm,
  api: ApiClient,
  productId: string,
  say: (line: string) => void,
): Promise<void> {
  if (existsSync(join(home, 'agent', 'identity'))) {
    say('This machine is enrolled already.')
    return
  }
  await loadExample(repository, home, ports)
  const { token } = await api.post<{ token: string }>('/enrolment-tokens', { productId, expiresInSeconds: 600 })
  const tokenFile = join(home, 'enrolment-token')
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  const logFile = join(home, 'logs', 'enrol.log')
  const child = startChild(repository, {
    program: 'agent/main.js',
    arguments: ['enroll', '--token-file', tokenFile],
    environment: agentSettings(home, ports, tpm),
    logFile,
    nodeFlags: ['--jitless'],
  })
  const code = await child.ended
  rmSync(tokenFile, { force: true })
  if (code !== 0) throw new Error(`Enrolment failed: ${readFileSync(logFile, 'utf8').trim()}`)
  say(`This machine is enrolled (${tpm.tcti === 'none' ? 'software identity' : 'endorsed by its TPM'}).`)
}
