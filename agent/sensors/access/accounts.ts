import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_ACCOUNTS, type Account, type Accounts } from '../../../shared/posture/sections/access/accounts.ts'
import { printableOrDigest } from '../digest.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { readKeys } from './authorized-keys.ts'
import { parsePasswd, parseShadow, passwordOf, type PasswdEntry, type PasswdFile } from './passwd.ts'

const MAX_FILE_BYTES = 8 * 1024 * 1024
/** So many of the accounts that nobody can use otherwise are looked at for keys. */
const MAX_EXAMINED = 512

export const readPasswd = (host: Host): Observation<PasswdFile> =>
  observed(host.readText('/etc/passwd', MAX_FILE_BYTES), (text) => ({ value: parsePasswd(text) }))

/** What ends a session at once. */
const isLoginShell = (shell: string): boolean => !/(?:^|\/)(?:nologin|false|true)$/.test(shell)

type Password = Account['password']

const opens = (password: Password): boolean =>
  'value' in password && !['locked', 'unusable', 'no-entry'].includes(password.value)

/** Most dangerous first: what is cut off at a bound is the rest. */
function rank({ superuser, shell }: PasswdEntry, password: Password): number {
  if (superuser) return 0
  if ('value' in password && password.value === 'empty') return 1
  return isLoginShell(shell) || opens(password) ? 2 : 3
}

/** The files in which an SSH server looks for the keys of an account, as AuthorizedKeysFile of sshd_config(5) has them. */
type KeyFiles = (entry: PasswdEntry) => readonly string[]

/** The accounts that can be used in some way. */
export function readAccounts(host: Host, passwd: Observation<PasswdFile>, keyFiles: KeyFiles): Observation<Accounts> {
  if ('missing' in passwd) return passwd
  const shadow = observed(host.readText('/etc/shadow', MAX_FILE_BYTES), (text) => ({ value: parseShadow(text) }))
  const ranked = passwd.value.entries.map((entry) => {
    const password = passwordOf(entry, shadow)
    return { entry, password, rank: rank(entry, password) }
  })
  ranked.sort((a, b) => a.rank - b.rank)
  const usable = ranked.filter((one) => one.rank < 3)
  const others = ranked.slice(usable.length)
  const list = usable.slice(0, MAX_ACCOUNTS).map(({ entry, password }) => accountOf(host, entry, password, keyFiles))
  let more = Math.max(0, usable.length - MAX_ACCOUNTS) + Math.max(0, others.length - MAX_EXAMINED)
  for (const { entry, password } of others.slice(0, MAX_EXAMINED)) {
    const account = accountOf(host, entry, password, keyFiles)
    if ('missing' in account.keys && account.keys.missing === 'absent') continue
    if (list.length < MAX_ACCOUNTS) list.push(account)
    else more += 1
  }
  const { malformed } = passwd.value
  return { value: { list, more, malformed, shadow: 'missing' in shadow ? shadow.missing : 'read' } }
}

const accountOf = (host: Host, entry: PasswdEntry, password: Password, keyFiles: KeyFiles): Account => ({
  name: printableOrDigest(entry.name, 128),
  superuser: entry.superuser,
  shell: printableOrDigest(entry.shell, 256),
  password,
  keys: readKeys(host, entry, keyFiles(entry)),
})
