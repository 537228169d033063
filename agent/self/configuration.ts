import { listOptions } from '../../shared/config/definition.ts'
import type { AgentContent } from '../../shared/posture/sections/agent.ts'
import { camelCase } from '../../shared/text/case.ts'
import { agentConfig, type AgentConfig } from '../config/options.ts'
import { shown } from './shown.ts'

/**
 * Options that equal units may set differently, or that bear on nothing that is measured or sent: the product is
 * claimed at enrolment and fixed then, and the level of the log is changed to look into something.
 */
const LEFT_OUT = /^(?:product\.|log\.)/

const MAX_VALUE = 512

/**
 * The options in force, each with its value: a finding then says what changed, which a digest could not. No option
 * holds a secret; of a file that does, the path is told.
 */
export function configurationFacts(config: AgentConfig): AgentContent['configuration'] {
  const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = config
  return listOptions(agentConfig)
    .filter(({ name }) => !LEFT_OUT.test(name))
    .map(({ section, key, name }) => {
      const value = sections[camelCase(section, '_')]?.[camelCase(key, '_')]
      const told = name === 'tpm.tcti' ? kindOf(String(value)) : value
      return { option: name, value: shown(typeof told === 'string' ? told : JSON.stringify(told), MAX_VALUE) }
    })
}

/** Of the TPM the kind alone, as `device` or `swtpm`: which one it is, the quote proves; a port may be any. */
const kindOf = (tcti: string): string => tcti.replace(/:.*$/s, '')
