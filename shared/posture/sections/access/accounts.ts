import * as v from 'valibot'
import type { FindingCode } from '../../../codes/findings.ts'
import { describe, MISSING, observation } from '../../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type Fact } from '../../section-definition.ts'
import { count, digest, text } from '../../text.ts'

export const MAX_ACCOUNTS = 256
export const MAX_GROUPS = 32

/**
 * How the password is kept, crypt(5); never the hash. `empty`: none is asked for. `locked`: no password fits, on
 * purpose. `unusable`: no password fits, since this is no hash. `no-entry`: the account has no line in shadow.
 */
export const PASSWORD_KINDS = [
  'empty',
  'locked',
  'unusable',
  'no-entry',
  'yescrypt',
  'gost-yescrypt',
  'scrypt',
  'bcrypt',
  'sha512crypt',
  'sha256crypt',
  'sm3crypt',
  'sha1crypt',
  'sunmd5',
  'md5crypt',
  'bsdicrypt',
  'descrypt',
  'nt',
  'unknown',
] as const
export type PasswordKind = (typeof PASSWORD_KINDS)[number]

const WEAK: ReadonlySet<PasswordKind> = new Set(['sha1crypt', 'sunmd5', 'md5crypt', 'bsdicrypt', 'descrypt', 'nt'])

const NAME = text(128)

/** Whether a hash of this kind is found out quickly by whoever has it. */
export const isWeakPassword = (kind: PasswordKind): boolean => WEAK.has(kind)

/** An account that can be used in some way: user number 0, a login shell, a password, or SSH keys. */
const accountSchema = v.strictObject({
  name: NAME,
  /** User number 0, whatever its name. */
  superuser: v.boolean(),
  shell: text(256),
  password: observation(v.picklist(PASSWORD_KINDS)),
  /** SHA-256 of the keys that open it, sorted and without comments; `absent`: none. */
  keys: observation(v.strictObject({ count, digest })),
})

export const accountsSchema = v.strictObject({
  list: v.pipe(v.array(accountSchema), v.maxLength(MAX_ACCOUNTS)),
  /** Beyond the bound: superusers and accounts without a password are never among these before others are. */
  more: count,
  /** Lines of passwd that are none. */
  malformed: count,
  /** Whether the passwords could be looked at. */
  shadow: v.picklist(['read', ...MISSING]),
})

/** One who is in groups that make superuser, or nearly. Unlike accounts these are named wherever they come from. */
const memberSchema = v.strictObject({
  name: NAME,
  groups: v.pipe(v.array(NAME), v.minLength(1), v.maxLength(MAX_GROUPS)),
})

export const membersSchema = v.strictObject({
  list: v.pipe(v.array(memberSchema), v.maxLength(MAX_ACCOUNTS)),
  more: count,
  malformed: count,
})

export type Account = v.InferOutput<typeof accountSchema>
export type Accounts = v.InferOutput<typeof accountsSchema>
export type Members = v.InferOutput<typeof membersSchema>

const allKinds = (code: FindingCode) => ({ added: code, changed: code, removed: code })
const CHANGED = allKinds('access.account-changed')
const NOT_READABLE = allKinds('access.not-readable')
const KEYS = allKinds('access.authorized-keys-changed')
const GROUP = allKinds('access.group-changed')
const LIFE = { ...CHANGED, added: 'access.account-added', removed: 'access.account-removed' } as const
const withCode = (code: FindingCode) => ({ ...LIFE, added: code, changed: code })

const isEmpty = ({ password }: Account): boolean => 'value' in password && password.value === 'empty'

function accountCodes(account: Account): Required<Fact>['codes'] {
  if (account.superuser) return withCode('access.superuser-added')
  return isEmpty(account) ? withCode('access.password-less-account') : LIFE
}

function passwordFact(account: Account): Omit<Fact, 'subject' | 'within'> {
  const { password } = account
  if ('missing' in password) return { value: describe(password), codes: NOT_READABLE }
  if (isEmpty(account)) return { value: password.value, codes: allKinds('access.password-less-account') }
  if (!WEAK.has(password.value)) return { value: password.value, codes: CHANGED }
  return { value: `${password.value} (weak)`, codes: allKinds('access.weak-password-hash') }
}

/**
 * Whether an account shows by its shell. One without a shell to log in with shows by its password or its keys, which not
 * everybody may see: where the passwords could be read before and not after, it has not gone, nor is it new.
 */
const showsByShell = ({ superuser, shell }: Account): boolean =>
  superuser || !/(?:^|\/)(?:nologin|false|true)$/.test(shell)

/** An account that is new, gone, or now has number 0 is one statement, whatever else is true of it. */
export function accountFacts({ list, more, malformed, shadow }: Accounts): Fact[] {
  return [
    { subject: 'passwords', value: shadow, codes: shadow === 'read' ? CHANGED : NOT_READABLE, within: ['accounts'] },
    {
      subject: 'further accounts',
      value: `${more}, lines that are none ${malformed}`,
      codes: CHANGED,
      within: ['accounts'],
    },
    ...list.flatMap((account): Fact[] => {
      const { name, superuser, shell, keys } = account
      const subject = `account ${name}`
      const within = ['accounts', subject]
      const keysCodes = 'missing' in keys && keys.missing !== 'absent' ? NOT_READABLE : KEYS
      const keysText = describe(keys, (known) => `${known.count} keys, ${known.digest}`)
      return [
        {
          subject,
          value: superuser ? 'superuser' : 'user',
          codes: accountCodes(account),
          within: showsByShell(account) ? ['accounts'] : ['accounts', 'passwords'],
        },
        { subject: `shell ${name}`, value: JSON.stringify(shell), codes: CHANGED, within },
        { subject: `password ${name}`, ...passwordFact(account), within: [...within, 'passwords'] },
        { subject: `keys ${name}`, value: keysText, codes: keysCodes, within },
      ]
    }),
  ]
}

export const memberFacts = ({ list, more, malformed }: Members): Fact[] => [
  {
    subject: 'further members of groups',
    value: `${more}, lines that are none ${malformed}`,
    codes: GROUP,
    within: ['groups'],
  },
  ...list.map(({ name, groups }): Fact => ({
    subject: `groups ${name}`,
    value: groups.map((group) => JSON.stringify(group)).join(' '),
    codes: GROUP,
    within: ['groups', 'accounts', `account ${name}`],
  })),
]

export const canonicalAccounts = (accounts: Accounts): Accounts => ({
  ...accounts,
  list: sortedUnique(accounts.list, (account) =>
    keyOf(account.name, account.superuser, account.shell, describe(account.password), JSON.stringify(account.keys)),
  ),
})

export const canonicalMembers = (members: Members): Members => ({
  ...members,
  list: sortedUnique(
    members.list.map(({ name, groups }) => ({ name, groups: sortedTexts(groups) })),
    ({ name, groups }) => keyOf(name, ...groups),
  ),
})
