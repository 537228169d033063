import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_MATCH_SETTINGS, MAX_MATCHES, type SshDaemon } from '../../../shared/posture/sections/access/ssh.ts'
import { printableOrDigest } from '../digest.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { shellVariable } from './shell-variable.ts'
import { generalSettings, matchSettings, valuesOf, type SshdLine, type SshdValues } from './ssh-settings.ts'
import { readSshdConfiguration, type MatchBlock } from './sshd-config.ts'

const PROGRAMS = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd']
const CONFIGURATIONS = ['/etc/ssh/sshd_config', '/usr/etc/ssh/sshd_config']
/** What the system's own start script adds to the command line. */
const OPTIONS = [
  ['/etc/default/ssh', 'SSHD_OPTS'],
  ['/etc/sysconfig/sshd', 'OPTIONS'],
  ['/etc/conf.d/sshd', 'SSHD_OPTS'],
] as const

/** What no real output of `sshd -T` lacks. */
const EXPECTED = ['passwordauthentication', 'pubkeyauthentication', 'permitrootlogin', 'authorizedkeysfile']

const DEFAULT_KEY_FILES = ['.ssh/authorized_keys', '.ssh/authorized_keys2']

export interface SshdReading {
  readonly daemon: SshDaemon
  /** Where it looks for the keys of an account. */
  readonly keyFiles: readonly string[]
}

/** Undefined: no OpenSSH server is installed. */
export async function readSshd(host: Host): Promise<SshdReading | undefined> {
  if (PROGRAMS.every((path) => host.stat(path).status === 'absent')) return undefined
  const path = CONFIGURATIONS.find((one) => host.stat(one).status !== 'absent') ?? '/etc/ssh/sshd_config'
  const configuration = readSshdConfiguration(host, path)
  const effective = observed(await host.run('sshd-effective'), parseEffective)
  const isEffective = 'value' in effective
  const values = isEffective ? effective : ofGeneral(configuration)
  return {
    daemon: {
      program: 'sshd',
      basis: isEffective ? 'effective' : 'configuration',
      settings: 'missing' in values ? values : { value: generalSettings(values.value, !isEffective) },
      matches: 'missing' in configuration ? configuration : matchesOf(configuration.value.matches),
      options: readOptions(host),
    },
    keyFiles: ('value' in values ? values.value.get('authorizedkeysfile') : undefined) ?? DEFAULT_KEY_FILES,
  }
}

const ofGeneral = (configuration: ReturnType<typeof readSshdConfiguration>): Observation<SshdValues> =>
  'missing' in configuration ? configuration : { value: valuesOf(configuration.value.general) }

/** `sshd -T`: a keyword in lower case and its value in each line. */
export function parseEffective(text: string): Observation<SshdValues> {
  const lines = text.split('\n').flatMap((line): SshdLine[] => {
    const [keyword = '', ...words] = line.trim().split(/\s+/)
    return keyword === '' ? [] : [{ keyword, words }]
  })
  const values = valuesOf(lines)
  return EXPECTED.every((keyword) => values.has(keyword)) ? { value: values } : { missing: 'malformed' }
}

function matchesOf(blocks: readonly MatchBlock[]): SshDaemon['matches'] {
  if (blocks.length > MAX_MATCHES) return { missing: 'too-large' }
  const matches = []
  let left = MAX_MATCH_SETTINGS
  for (const [position, { condition, lines }] of blocks.entries()) {
    const settings = matchSettings(lines)
    left -= settings?.length ?? 0
    if (settings === undefined || left < 0) return { missing: 'too-large' }
    matches.push({ position, condition: printableOrDigest(condition, 256), settings })
  }
  return { value: matches }
}

function readOptions(host: Host): SshDaemon['options'] {
  for (const [path, name] of OPTIONS) {
    const file = host.readText(path, 64 * 1024)
    if (file.status === 'absent') continue
    return observed(file, (text) => ({ value: printableOrDigest(shellVariable(text, name) ?? '', 512) }))
  }
  return { missing: 'absent' }
}
