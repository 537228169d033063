import * as v from 'valibot'
import type { FindingCode } from '../../../codes/findings.ts'
import { describe, observation } from '../../observation.ts'
import { keyOf, sortedUnique, type Fact } from '../../section-definition.ts'
import { count, text } from '../../text.ts'

export const MAX_DAEMONS = 8
export const MAX_MATCHES = 64
export const MAX_SSH_SETTINGS = 128
/** Of all Match blocks together. */
export const MAX_MATCH_SETTINGS = 384

/** By the names of sshd_config(5), also for what dropbear calls otherwise. */
const settingSchema = v.strictObject({ name: text(64), value: text(2048) })
const settings = v.pipe(v.array(settingSchema), v.maxLength(MAX_SSH_SETTINGS))

export const daemonSchema = v.strictObject({
  program: v.picklist(['sshd', 'dropbear']),
  /** Where the configuration is for several of one program, which of them. */
  instance: v.exactOptional(text(64)),
  /** `effective`: the server itself says so; `configuration`: as its files and its own defaults have it. */
  basis: v.picklist(['effective', 'configuration']),
  settings: observation(settings),
  /** Match blocks, settings for some connections only, by their place in the files: the first that fits counts. */
  matches: observation(
    v.pipe(
      v.array(v.strictObject({ position: count, condition: text(256), settings })),
      v.maxLength(MAX_MATCHES),
      v.check(
        (all) => all.reduce((sum, block) => sum + block.settings.length, 0) <= MAX_MATCH_SETTINGS,
        'too many settings',
      ),
    ),
  ),
  /** What it is given on its command line, where the system keeps that in a file of its own. */
  options: observation(text(512)),
})

export type SshSetting = v.InferOutput<typeof settingSchema>
export type SshDaemon = v.InferOutput<typeof daemonSchema>

/** What belongs together is one statement, in the order in which a reader asks. All other settings are the last one. */
const TOPICS = {
  'password login': ['PasswordAuthentication', 'KbdInteractiveAuthentication', 'UsePAM'],
  methods: ['AuthenticationMethods'],
  'root login': ['PermitRootLogin', 'RootPasswordAuthentication'],
  'empty passwords': ['PermitEmptyPasswords'],
  keys: [
    'PubkeyAuthentication',
    'AuthorizedKeysFile',
    'AuthorizedKeysCommand',
    'AuthorizedKeysCommandUser',
    'AuthorizedPrincipalsFile',
    'AuthorizedPrincipalsCommand',
    'TrustedUserCAKeys',
    'RevokedKeys',
    'HostbasedAuthentication',
    'IgnoreRhosts',
    'StrictModes',
    'PermitUserEnvironment',
  ],
  users: ['AllowUsers', 'AllowGroups', 'DenyUsers', 'DenyGroups'],
  forwarding: [
    'AllowTcpForwarding',
    'AllowStreamLocalForwarding',
    'AllowAgentForwarding',
    'DisableForwarding',
    'GatewayPorts',
    'PermitOpen',
    'PermitListen',
    'PermitTunnel',
    'X11Forwarding',
  ],
  listening: ['Port', 'ListenAddress'],
  algorithms: [
    'Ciphers',
    'MACs',
    'KexAlgorithms',
    'HostKeyAlgorithms',
    'PubkeyAcceptedAlgorithms',
    'CASignatureAlgorithms',
    'RequiredRSASize',
  ],
  other: [],
} as const satisfies Record<string, readonly string[]>
type Topic = keyof typeof TOPICS
const TOPIC_NAMES = Object.keys(TOPICS) as readonly Topic[]

const topicOf = (name: string): Topic =>
  TOPIC_NAMES.find((topic) => (TOPICS[topic] as readonly string[]).includes(name)) ?? 'other'

const settingText = ({ name, value }: SshSetting): string => `${JSON.stringify(name)} ${JSON.stringify(value)}`
const settingsText = (all: readonly SshSetting[]): string => all.map(settingText).join('; ')

type Codes = Required<Fact>['codes']
const allKinds = (code: FindingCode) => ({ added: code, changed: code, removed: code })
const CHANGED = allKinds('access.ssh-setting-changed')
const NOT_READABLE = allKinds('access.not-readable')
const withCode = (code: FindingCode): Codes => ({ ...CHANGED, added: code, changed: code })

/** What a set of settings lets happen; `undefined` of a name is the default of both servers. */
interface Ways {
  readonly password: boolean
  readonly root: boolean
  readonly empty: boolean
}

function waysOf(all: readonly SshSetting[]): Ways {
  const is = (name: string, value: string, byDefault: boolean): boolean => {
    const found = all.find((one) => one.name === name)
    return found === undefined ? byDefault : found.value === value
  }
  const asks =
    is('PasswordAuthentication', 'yes', true) ||
    (is('KbdInteractiveAuthentication', 'yes', false) && is('UsePAM', 'yes', false))
  const methods = all.find(({ name }) => name === 'AuthenticationMethods')?.value ?? 'any'
  // Each word is one way in, a list of methods that are all needed: one that takes more than passwords is none of theirs.
  const isEnough = methods
    .split(' ')
    .some((way) => way.split(',').every((method) => /^(?:any|none|password|keyboard-interactive)(?::|$)/.test(method)))
  const password = asks && isEnough
  return {
    password,
    root: password && is('PermitRootLogin', 'yes', false) && is('RootPasswordAuthentication', 'yes', true),
    empty: asks && is('PermitEmptyPasswords', 'yes', false),
  }
}

const strongest = ({ password, root, empty }: Ways): Codes =>
  empty
    ? withCode('access.ssh-empty-passwords')
    : root
      ? withCode('access.ssh-root-password-login')
      : password
        ? withCode('access.ssh-password-login')
        : CHANGED

/** What a change of one topic is, by what the settings as a whole now let happen. */
function codesOf(topic: Topic, { password, root, empty }: Ways): Codes {
  if ((topic === 'password login' || topic === 'methods') && password) return withCode('access.ssh-password-login')
  if (topic === 'root login' && root) return withCode('access.ssh-root-password-login')
  return topic === 'empty passwords' && empty ? withCode('access.ssh-empty-passwords') : CHANGED
}

/** A block that opens a way that the settings before it may have closed. Its own settings come before all others. */
function matchWays(own: readonly SshSetting[], general: readonly SshSetting[]): Ways {
  const names = new Set(own.map(({ name }) => name))
  const ways = waysOf([...own, ...general.filter(({ name }) => !names.has(name))])
  const touches = (...topics: Topic[]): boolean => own.some(({ name }) => topics.includes(topicOf(name)))
  return {
    password: ways.password && touches('password login', 'methods'),
    root: ways.root && touches('password login', 'methods', 'root login'),
    empty: ways.empty && touches('password login', 'empty passwords'),
  }
}

const allWays = (all: readonly Ways[]): Ways => ({
  password: all.some(({ password }) => password),
  root: all.some(({ root }) => root),
  empty: all.some(({ empty }) => empty),
})

/** Whether somebody gets in with a password, by any block; undefined where the settings could not be read. */
export function takesPasswords({ settings: all, matches }: SshDaemon): boolean | undefined {
  if ('missing' in all) return undefined
  const blocks = 'missing' in matches ? [] : matches.value
  if (allWays([waysOf(all.value), ...blocks.map((block) => matchWays(block.settings, all.value))]).password) return true
  return 'missing' in matches && matches.missing !== 'absent' ? undefined : false
}

/** A server that is new, or gone, is one statement; so is each topic of one that stays. */
export function daemonFacts({ program, instance, basis, settings: all, matches, options }: SshDaemon): Fact[] {
  const subject = instance === undefined ? `ssh ${program}` : `ssh ${program} ${JSON.stringify(instance)}`
  const known = 'missing' in all ? [] : all.value
  const blocks = 'missing' in matches ? [] : matches.value
  const general = waysOf(known)
  const special = allWays(blocks.map((block) => matchWays(block.settings, known)))
  const within = [subject]
  const isRead = 'value' in all
  const present = { subject, value: isRead ? 'present' : describe(all) }
  return [
    { ...present, codes: isRead ? strongest(allWays([general, special])) : NOT_READABLE },
    ...known.map((setting): Fact => ({
      subject: `${subject} ${topicOf(setting.name)}`,
      value: settingText(setting),
      codes: codesOf(topicOf(setting.name), general),
      within,
    })),
    // Only the server itself can tell its default algorithms: this is what the other basis cannot say.
    { subject: `${subject} algorithms`, value: `by ${basis}`, codes: CHANGED, within },
    ...('missing' in matches
      ? [{ subject: `${subject} match`, value: describe(matches), codes: NOT_READABLE, within }]
      : blocks.map((block): Fact => ({
          subject: `${subject} match`,
          value: `${block.position} ${JSON.stringify(block.condition)}: ${settingsText(block.settings)}`,
          codes: strongest(special),
          within,
        }))),
    { subject: `${subject} options`, value: describe(options), codes: CHANGED, within },
  ]
}

const canonicalSettings = (all: readonly SshSetting[]): SshSetting[] =>
  sortedUnique(all, ({ name, value }) => keyOf(name, value))

export const canonicalDaemon = (daemon: SshDaemon): SshDaemon => ({
  ...daemon,
  settings: 'missing' in daemon.settings ? daemon.settings : { value: canonicalSettings(daemon.settings.value) },
  matches:
    'missing' in daemon.matches
      ? daemon.matches
      : {
          value: sortedUnique(
            daemon.matches.value.map((block) => ({ ...block, settings: canonicalSettings(block.settings) })),
            (block) => keyOf(String(block.position).padStart(16, '0'), block.condition, settingsText(block.settings)),
          ),
        },
})

export const daemonKey = (daemon: SshDaemon): string =>
  keyOf(
    daemon.program,
    daemon.instance,
    daemonFacts(daemon)
      .map(({ value }) => value)
      .join('\0'),
  )
