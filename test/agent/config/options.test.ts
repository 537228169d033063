import { describe, expect, test } from 'vitest'
import { configCheckCommand, configShowCommand } from '../../../agent/cli/config-command.ts'
import { agentConfig } from '../../../agent/config/options.ts'
import { ConfigurationError } from '../../../shared/config/problems.ts'
import { resolveConfig } from '../../../shared/config/resolve.ts'
import { settingFromAssignment } from '../../../shared/config/settings.ts'
import { describeConfig } from '../../support/config-suite.ts'

describeConfig({
  definition: agentConfig,
  commands: [configShowCommand, configCheckCommand],
  show: ['config', 'show'],
  check: ['config', 'check'],
  withSecretFile: (path) => `[tpm]\nendorsement_auth_file = "${path}"\n`,
})

const resolve = (...assignments: string[]): unknown =>
  resolveConfig(
    agentConfig,
    assignments.map((assignment) => settingFromAssignment(agentConfig, assignment)),
  )

describe('the agent refuses', () => {
  test.each([
    ['PCRs that software can reset', ['tpm.pcrs=0,16']],
    ['the application PCR 23', ['tpm.pcrs=0,23']],
    ['a SHA-1 bank', ['tpm.bank=sha1']],
    ['a collector without TLS, even on this machine', ['collector.url=http://localhost:8443']],
    ['a remote broker without TLS', ['mqtt.url=mqtt://broker.example.com:1883']],
    ['a jitter that swallows the interval', ['report.jitter_seconds=300']],
    ['sending again before the next report', ['report.resend_seconds=299']],
    [
      'an outbox that forgets before it sends again',
      ['state.outbox_max_age_seconds=3600', 'report.resend_seconds=3600'],
    ],
  ])('%s', (_, assignments) => {
    expect(() => resolve(...assignments)).toThrow(ConfigurationError)
  })
})

test('the agent may use a broker without TLS on this machine', () => {
  expect(() => resolve('mqtt.url=mqtt://127.0.0.1:1883')).not.toThrow()
})
