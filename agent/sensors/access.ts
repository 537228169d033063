import { readAccounts, readPasswd } from './access/accounts.ts'
import { readConsoles, readPam, readSources } from './access/authentication.ts'
import { DROPBEAR_KEY_FILES, DROPBEAR_ROOT_KEYS, readDropbear } from './access/dropbear.ts'
import { PRIVILEGED_GROUPS, readMembers } from './access/groups.ts'
import { readPrivileges } from './access/privileges.ts'
import { readSshd } from './access/sshd.ts'
import type { Host } from './host.ts'
import type { Reading, Sensor } from './sensor.ts'
import { identitiesOf, withEntries } from './unchanged.ts'

async function measure(host: Host): Promise<Reading<'access'>> {
  const sshd = await readSshd(host)
  const dropbears = readDropbear(host)
  const passwd = readPasswd(host)
  // Keys that no server here looks at are told as well: one may be installed later.
  const keyFiles = new Set([...(sshd?.keyFiles ?? []), ...DROPBEAR_KEY_FILES])
  const rootKeyFiles = new Set([...keyFiles, DROPBEAR_ROOT_KEYS])
  return {
    status: 'measured',
    content: {
      ssh: [...(sshd === undefined ? [] : [sshd.daemon]), ...dropbears],
      accounts: readAccounts(host, passwd, ({ superuser }) => [...(superuser ? rootKeyFiles : keyFiles)]),
      groups: readMembers(host, passwd),
      sources: readSources(host),
      privileges: readPrivileges(host),
      pam: readPam(host),
      consoles: readConsoles(host),
    },
  }
}

/** Files that say who may log in. */
const GLANCED =
  `passwd shadow group gshadow nsswitch.conf securetty pam.conf doas.conf sudoers ssh/sshd_config default/ssh
sysconfig/sshd config/dropbear default/dropbear dropbear/authorized_keys`
    .split(/\s/)
    .map((name) => `/etc/${name}`)
/** Whose files do; of one that may not be read, only that something was put into it or replaced in it. */
const GLANCED_DIRECTORIES = ['/etc/pam.d', '/etc/sudoers.d', '/etc/doas.d', '/etc/ssh', '/etc/ssh/sshd_config.d']

const glance = (host: Host): string => identitiesOf(host, [...GLANCED, ...withEntries(host, GLANCED_DIRECTORIES)])

export const accessSensor: Sensor<'access'> = {
  id: 'access',
  title: 'who may log in and become superuser: SSH servers, accounts, groups, sudo and doas, PAM',
  section: 'access',
  reads:
    'the output of `sshd -T`; /etc/ssh/sshd_config and what it includes, /etc/default/ssh, /etc/sysconfig/sshd, ' +
    '/etc/conf.d/sshd, /etc/config/dropbear, /etc/default/dropbear, /etc/conf.d/dropbear, /etc/sysconfig/dropbear; ' +
    '/etc/passwd, /etc/shadow, /etc/group, /etc/nsswitch.conf, authorized_keys of every account; /etc/sudoers and ' +
    'what it includes, /etc/doas.conf, /etc/doas.d; /etc/pam.d or /etc/pam.conf; /etc/securetty',
  needs:
    'root for `sshd -T`, shadow, sudoers and the home directories of others, by keepseal-measure. Without it, or where ' +
    'sshd refuses since /run/sshd is missing while it does not run, the settings of sshd are those of its ' +
    'configuration files; the other parts say that they could not be read',
  blindSpots:
    'accounts, groups and rules that do not come from files (LDAP, sssd, systemd-homed), which nsswitch.conf alone ' +
    'names; SSH servers other than OpenSSH and dropbear, and those started by hand with other options or files; keys ' +
    'that a command or a certificate authority provides; groups other than ' +
    `${PRIVILEGED_GROUPS.join(', ')} and that of number 0; PAM modules themselves and their own files; polkit, set-user-ID ` +
    'programs and capabilities; expiry of accounts and passwords; the passwords themselves, of which only the kind of ' +
    'hash is told. A unit whose keys are its own has its own digest',
  budget: { cpuMs: 10 },
  remedy: 'Let keepseal-measure run; check the files with `sshd -t`, `pwck -r`, `grpck -r` and `visudo -c`.',
  privileged: true,
  glance,
  measure,
}
