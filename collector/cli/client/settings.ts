import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { serverUrl } from '../../../shared/config/url-types.ts'
import { path, text, type ValueType } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { didYouMean, nearest } from '../../../shared/text/suggest.ts'

/** Which collector is asked, as whom, and by whose certificate it is known. */
export interface ClientSettings {
  readonly url: URL
  readonly token: string
  /** Certificate authority in PEM; undefined: those that the system trusts. */
  readonly authority: string | undefined
}

/** The options of every command that asks a collector. */
export const connectionOptions = {
  url: { description: 'Address of the collector.', value: text(2048), placeholder: 'URL' },
  'token-file': { description: 'File that holds the API token.', value: text(4096), placeholder: 'FILE' },
  'ca-file': {
    description: 'Certificate authority of the collector, in PEM: no other is trusted then.',
    value: text(4096),
    placeholder: 'FILE',
  },
  config: {
    description: 'Configuration file in place of ~/.config/keepseal/cli.toml.',
    value: text(4096),
    placeholder: 'FILE',
  },
} as const

export interface ConnectionFlags {
  readonly url: string | undefined
  readonly tokenFile: string | undefined
  readonly caFile: string | undefined
  readonly config: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const apiToken: ValueType<string> = {
  schema: v.pipe(v.string(), v.regex(/^ksa_[A-Za-z0-9_-]{43}$/)),
  requirement: 'an API token, ksa_ and 43 characters',
  fromText: (value) => value,
}

interface FileKey {
  readonly type: ValueType<string>
  readonly variable: string
  readonly description: string
}

/** What the configuration file may hold, and the environment in its place. */
export const FILE_KEYS = {
  url: {
    // A token goes to no server without TLS, unless it never leaves this machine.
    type: serverUrl({ schemes: ['https:'], loopbackSchemes: ['http:'] }),
    variable: 'KEEPSEAL_URL',
    description: 'Address of the collector.',
  },
  token: {
    type: apiToken,
    variable: 'KEEPSEAL_TOKEN',
    description: 'Who asks: keepseal-collector api-token create makes one. Nobody else may read the file then.',
  },
  ca_file: {
    type: path(),
    variable: 'KEEPSEAL_CA_FILE',
    description:
      'Certificate authority of the collector, in PEM: no other is trusted then. Without it those of the system are.',
  },
} as const satisfies Record<string, FileKey>
type Key = keyof typeof FILE_KEYS

const HOW: Readonly<Record<'url' | 'token', string>> = {
  url: 'Set KEEPSEAL_URL, or url in ~/.config/keepseal/cli.toml.',
  token: 'Set KEEPSEAL_TOKEN, or token in ~/.config/keepseal/cli.toml; keepseal-collector api-token create makes one.',
}

/**
 * File < environment < flags. Throws KeepsealError `config.*`, `state.insecure-permissions` (a file with a token that
 * others can read) or `file.unreadable`.
 */
export function loadSettings(flags: ConnectionFlags, environment: Environment): ClientSettings {
  const file = readConfigFile(flags.config, environment)
  const value = (key: Key, flag: string | undefined): string | undefined => {
    if (flag !== undefined) return checked(key, flag, 'command line')
    const variable = environment[FILE_KEYS[key].variable]
    return variable === undefined || variable === '' ? file[key] : checked(key, variable, FILE_KEYS[key].variable)
  }
  const token = flags.tokenFile === undefined ? undefined : readText(flags.tokenFile, 'file.unreadable').trim()
  const authority = flags.caFile ?? value('ca_file', undefined)
  return {
    url: new URL(required('url', value('url', flags.url))),
    token: required('token', value('token', token)),
    authority: authority === undefined ? undefined : readText(authority, 'file.unreadable'),
  }
}

function required(key: 'url' | 'token', value: string | undefined): string {
  if (value === undefined) throw new KeepsealError('config.invalid-value', `${key} is not set`, { remedy: HOW[key] })
  return value
}

/** The value itself is never in the message: it may be a token in the wrong place. */
function checked(key: Key, value: unknown, place: string): string {
  const { type }: FileKey = FILE_KEYS[key]
  const result = v.safeParse(type.schema, value)
  if (result.success) return result.output
  throw new KeepsealError('config.invalid-value', `${place}: ${key} must be ${type.requirement}`)
}

function configPath(environment: Environment): string {
  const home = environment['XDG_CONFIG_HOME']
  return join(home === undefined || home === '' ? join(homedir(), '.config') : home, 'keepseal', 'cli.toml')
}

function readConfigFile(chosen: string | undefined, environment: Environment): Partial<Record<Key, string>> {
  const file = chosen ?? configPath(environment)
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined && chosen === undefined) return {}
  const values = parseToml(readText(file, 'config.unreadable'), file)
  const known = Object.keys(FILE_KEYS)
  for (const key of Object.keys(values)) {
    if (known.includes(key)) continue
    throw new KeepsealError('config.unknown-key', `${file}: ${key}${didYouMean(nearest(key, known))}`)
  }
  if (values['token'] !== undefined && found !== undefined && (found.mode & 0o077) !== 0) {
    throw new KeepsealError('state.insecure-permissions', file)
  }
  const keys = known.filter((key): key is Key => values[key] !== undefined)
  return Object.fromEntries(keys.map((key) => [key, checked(key, values[key], file)]))
}

function parseToml(content: string, file: string): Record<string, unknown> {
  try {
    return parse(content)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw new KeepsealError('config.syntax', `${file}:${error.line}:${error.column}`)
  }
}

function readText(file: string, code: ErrorCode): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new KeepsealError(code, file, { cause })
  }
}
