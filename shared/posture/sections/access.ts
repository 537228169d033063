import * as v from 'valibot'
import type { FindingCode } from '../../codes/findings.ts'
import { describe, observation, type Observation } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { count, digest, text } from '../text.ts'
import {
  accountFacts,
  accountsSchema,
  canonicalAccounts,
  canonicalMembers,
  memberFacts,
  membersSchema,
} from './access/accounts.ts'
import { canonicalDaemon, daemonFacts, daemonKey, daemonSchema, MAX_DAEMONS } from './access/ssh.ts'

export const MAX_SERVICES = 128
export const MAX_WITHOUT_PASSWORD = 64
export const PRIVILEGE_PROGRAMS = ['sudo', 'doas'] as const

const rulesSchema = v.strictObject({
  count,
  /** SHA-256 of the rules in their order, without comments. */
  digest,
  /** Those that ask for no password, as they are written. */
  withoutPassword: v.pipe(v.array(text(512)), v.maxLength(MAX_WITHOUT_PASSWORD)),
})

const unique = <T>(key: (one: T) => string) =>
  v.check((all: T[]) => new Set(all.map(key)).size === all.length, 'what is told twice')

const privilegeSchema = v.strictObject({ program: v.picklist(PRIVILEGE_PROGRAMS), rules: observation(rulesSchema) })

/** Each service by the SHA-256 of its stack; the name of the file. */
const pamSchema = v.pipe(v.array(v.strictObject({ service: text(128), digest })), v.maxLength(MAX_SERVICES))

const sourcesSchema = v.pipe(v.array(v.strictObject({ database: text(32), services: text(256) })), v.maxLength(8))

const schema = v.strictObject({
  ssh: v.pipe(v.array(daemonSchema), v.maxLength(MAX_DAEMONS)),
  accounts: observation(accountsSchema),
  groups: observation(membersSchema),
  /** nsswitch.conf(5): where accounts and groups come from. Only `files` is looked into. */
  sources: observation(sourcesSchema),
  privileges: v.pipe(
    v.array(privilegeSchema),
    v.maxLength(PRIVILEGE_PROGRAMS.length),
    unique(({ program }) => program),
  ),
  pam: observation(pamSchema),
  /** securetty(5): terminals on which root may log in; `absent`: on all. */
  consoles: observation(v.pipe(v.array(text(64)), v.maxLength(256))),
})

export type PrivilegeRules = v.InferOutput<typeof rulesSchema>
export type AccessContent = v.InferOutput<typeof schema>

type Privilege = AccessContent['privileges'][number]

const allKinds = (code: FindingCode) => ({ added: code, changed: code, removed: code })
const CHANGED = allKinds('access.account-changed')
const NOT_READABLE = allKinds('access.not-readable')
const RULES = allKinds('access.sudo-rules-changed')
const WITHOUT_PASSWORD = allKinds('access.sudo-without-password')
const PAM = allKinds('access.pam-changed')

const quoted = (texts: readonly string[]): string => texts.map((one) => JSON.stringify(one)).join(' ')

/** What a part as a whole is: read, or the reason why not, which takes all that would be in it with it. */
function whole<T>(subject: string, observed: Observation<T>, codes: Required<Fact>['codes']): Fact {
  if ('value' in observed) return { subject, value: 'read', codes }
  return { subject, value: describe(observed), codes: observed.missing === 'absent' ? codes : NOT_READABLE }
}

function privilegeFacts({ program, rules }: Privilege): Fact[] {
  if ('missing' in rules) return [whole(program, rules, RULES)]
  const { count: total, digest: hash, withoutPassword } = rules.value
  const asks = { subject: `${program} without password`, value: quoted(withoutPassword), codes: WITHOUT_PASSWORD }
  return [
    whole(program, rules, withoutPassword.length === 0 ? RULES : { ...WITHOUT_PASSWORD, removed: RULES.removed }),
    { ...asks, within: [program] },
    { subject: `${program} rules`, value: `${total} rules, ${hash}`, codes: RULES, within: [program, asks.subject] },
  ]
}

const partFacts = <T>(observed: Observation<T>, facts: (value: T) => Fact[]): Fact[] =>
  'missing' in observed ? [] : facts(observed.value)

const inEach = <T>(observed: Observation<T>, change: (value: T) => T): Observation<T> =>
  'missing' in observed ? observed : { value: change(observed.value) }

export const access: SectionDefinition<AccessContent> = {
  schema,
  canonical: ({ ssh, accounts, groups, sources, privileges, pam, consoles }) => ({
    ssh: sortedUnique(ssh.map(canonicalDaemon), daemonKey),
    accounts: inEach(accounts, canonicalAccounts),
    groups: inEach(groups, canonicalMembers),
    sources: inEach(sources, (all) => sortedUnique(all, (one) => keyOf(one.database, one.services))),
    privileges: sortedUnique(
      privileges.map(({ program, rules }) => ({
        program,
        rules: inEach(rules, (value) => ({ ...value, withoutPassword: sortedTexts(value.withoutPassword) })),
      })),
      ({ program }) => program,
    ),
    pam: inEach(pam, (all) => sortedUnique(all, (one) => keyOf(one.service, one.digest))),
    consoles: inEach(consoles, sortedTexts),
  }),
  facts: ({ ssh, accounts, groups, sources, privileges, pam, consoles }) => [
    ...ssh.flatMap(daemonFacts),
    whole('accounts', accounts, CHANGED),
    ...partFacts(accounts, accountFacts),
    whole('groups', groups, CHANGED),
    ...partFacts(groups, memberFacts),
    whole('name service', sources, CHANGED),
    ...partFacts(sources, (all) =>
      all.map(({ database, services }): Fact => ({
        subject: `source of ${database}`,
        value: JSON.stringify(services),
        codes: CHANGED,
        within: ['name service'],
      })),
    ),
    ...privileges.flatMap(privilegeFacts),
    whole('pam', pam, PAM),
    ...partFacts(pam, (all) =>
      all.map(({ service, digest: hash }): Fact => ({
        subject: `pam ${service}`,
        value: hash,
        codes: PAM,
        within: ['pam'],
      })),
    ),
    {
      subject: 'consoles for root',
      value: describe(consoles, quoted),
      codes: whole('', consoles, CHANGED).codes ?? {},
    },
  ],
}
