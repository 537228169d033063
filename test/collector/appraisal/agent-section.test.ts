import { describe, expect, test } from 'vitest'
import { sectionDeviations } from '../../../collector/appraisal/section-deviations.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import type { AgentContent } from '../../../shared/posture/sections/agent.ts'
import { measured, sha256 } from '../../support/posture.ts'

const approved: AgentContent = {
  version: '1.0.0',
  form: 'one-file',
  program: { value: 'a'.repeat(64) },
  binding: { value: 'b'.repeat(64) },
  replaced: { value: false },
  runtime: { version: 'v20.19.0', flags: ['--jitless'] },
  user: 'other',
  configuration: [{ option: 'report.interval_seconds', value: '300' }],
}

const bytesOf = (content: AgentContent) => encodeSection('agent', measured<'agent'>(content), sha256).bytes

function deviations(change: Partial<AgentContent>) {
  const found = sectionDeviations('agent', bytesOf(approved), bytesOf({ ...approved, ...change }))
  if (found === 'content-missing') throw new Error(found)
  return found.map(({ code, subject }) => `${code} ${subject}`)
}

describe('an agent that is not the approved one', () => {
  test.each<[string, Partial<AgentContent>, string]>([
    ['in its program', { program: { value: 'c'.repeat(64) } }, 'agent.changed program'],
    ['in the binding', { binding: { value: 'c'.repeat(64) } }, 'agent.changed binding'],
    ['on disk', { replaced: { value: true } }, 'agent.changed replaced'],
    ['in its version', { version: '1.0.1' }, 'agent.changed version'],
    ['in its form', { form: 'modules' }, 'agent.changed form'],
    ['in the runtime', { runtime: { version: 'v22.0.0', flags: ['--jitless'] } }, 'agent.changed runtime.version'],
    ['in a flag', { runtime: { version: 'v20.19.0', flags: [] } }, 'agent.changed runtime.flag --jitless'],
    ['in its user', { user: 'root' }, 'agent.changed user'],
    ['in its program, which may not be read', { program: { missing: 'no-permission' } }, 'agent.changed program'],
    [
      'in an option',
      { configuration: [{ option: 'report.interval_seconds', value: '86400' }] },
      'agent.configuration-changed configuration.report.interval_seconds',
    ],
    [
      'in an option that is gone',
      { configuration: [] },
      'agent.configuration-changed configuration.report.interval_seconds',
    ],
  ])('%s is one finding', (_, change, expected) => {
    expect(deviations(change)).toEqual([expected])
  })
})
