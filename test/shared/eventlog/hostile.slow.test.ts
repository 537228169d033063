import { expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { MAX_LOG_SIZE } from '../../../shared/eventlog/constants.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { checkFirmwarePcrs } from '../../../shared/eventlog/rules.ts'
import { secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import { hostileLogs } from '../../support/hostile-logs.ts'

/**
 * Nothing is timed: what takes more than steps in the size of the log takes minutes or hours here, and the test ends
 * by its limit.
 */
test.each(hostileLogs().map((log) => [log.title, log] as const))('%s: appraised to an end', (_, { log, pcrs }) => {
  expect(log.length).toBeLessThanOrEqual(MAX_LOG_SIZE)
  const replayed = verifyEventLog(parseEventLog(log), 'sha256', pcrs, hash)
  const state = secureBootState(replayed, hash)
  expect(state.problems.length === 0).toBe(state.enabled !== 'unknown')
  checkFirmwarePcrs(replayed, hash)
  expect(inspectEventLog(log, hash).secureBoot.enabled).toBe(state.enabled)
})
