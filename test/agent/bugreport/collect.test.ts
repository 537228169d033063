import { expect, test } from 'vitest'
import { bugReport } from '../../../agent/bugreport/collect.ts'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { saveIdentity } from '../../../agent/state/identity.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { identityMaterial, UEID } from '../state/identity-sample.ts'

const scratch = useScratchDirectories('bugreport')

test('a report tells what is the matter, and not whose device it is', async () => {
  const directory = scratch()
  const material = identityMaterial({
    product: { vendor: 'Acme', model: 'GW-1', hardwareRevision: 'Rev-B', serial: 'X-0001' },
  })
  await saveIdentity(directory, material)
  const set = [`state.directory=${directory}`, 'collector.url=https://secret.example:8443', 'product.serial=X-0001']
  const check = { id: 'identity', status: 'good', detail: `${UEID}, tpm-endorsed` } as const
  const report = await bugReport(loadAgentConfig({ config: '/dev/null', set }, {}), [check])
  const text = JSON.stringify(report)
  expect(report.report).toMatchObject({ identity: { assurance: 'tpm-endorsed' } })
  expect(text).toContain('tls-key.pem')
  for (const telling of [
    UEID,
    'secret.example',
    'X-0001',
    'Acme',
    'GW-1',
    'BEGIN',
    Buffer.from(material.deviceKeySeed).toString('hex'),
  ]) {
    expect([telling, text.includes(telling)]).toEqual([telling, false])
  }
  expect(report.redacted).toMatchObject({ host: 1, serial: 1 })
})

test('a report can be made where nothing is enrolled', async () => {
  const set = [`state.directory=${scratch()}/none`]
  const { report } = await bugReport(loadAgentConfig({ config: '/dev/null', set }, {}), [])
  expect(report).toMatchObject({ identity: { code: 'agent.not-enrolled' }, status: null, files: 'ENOENT' })
})
