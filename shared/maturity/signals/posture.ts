import { isWeakPassword, type Account } from '../../posture/sections/access/accounts.ts'
import { takesPasswords } from '../../posture/sections/access/ssh.ts'
import { isUnsigned } from '../../posture/sections/update-channel.ts'
import type { Observation } from '../../posture/observation.ts'
import type { SectionContents } from '../../posture/sections.ts'
import type { ServiceState } from '../../posture/sections/operations.ts'

/** What a unit reports: each section that was measured. One that is not here says nothing. */
export type Posture = { readonly [S in keyof SectionContents]?: SectionContents[S] }

/** What could not be looked at is `unknown`, never `good`. */
export type Outcome = 'good' | 'bad' | 'unknown'

export interface PostureTime {
  /** YYYY-MM-DD: what is supported depends on the day. */
  readonly today: string
}

const when = (isGood: boolean | undefined): Outcome => (isGood === undefined ? 'unknown' : isGood ? 'good' : 'bad')

/** `absent` counts as not being there; anything else that is missing was not seen. */
function observed<T>(one: Observation<T>, isGood: (value: T) => boolean | undefined, absent?: boolean): Outcome {
  if ('value' in one) return when(isGood(one.value))
  return one.missing === 'absent' ? when(absent) : 'unknown'
}

function running(services: readonly ServiceState[]): boolean | undefined {
  if (services.some(({ state }) => state === 'on')) return true
  return services.some(({ state }) => state === 'unknown') ? undefined : false
}

/** No account of a whole list does; one that does is enough, wherever the list ends. */
function noAccount({ access }: Posture, does: (account: Account) => boolean, needsShadow: boolean): Outcome {
  if (access === undefined || 'missing' in access.accounts) return 'unknown'
  const { list, more, shadow } = access.accounts.value
  if (list.some(does)) return 'bad'
  return more > 0 || (needsShadow && shadow !== 'read') ? 'unknown' : 'good'
}

const password = ({ password: kept }: Account): string => ('value' in kept ? kept.value : '')

/** All of them good, one bad, or else not known. */
function every(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('bad')) return 'bad'
  return outcomes.includes('unknown') ? 'unknown' : 'good'
}

function supportedSystem({ 'patch-level': level }: Posture, { today }: PostureTime): Outcome {
  if (level === undefined) return 'unknown'
  return observed(level.support, ({ end, extendedEnd }) => (extendedEnd ?? end) >= today)
}

function signedChannel({ 'update-channel': channel }: Posture): Outcome {
  if (channel === undefined || channel.channels.length === 0) return 'unknown'
  return every(
    channel.channels.map((one): Outcome => {
      if (one.sources.some((source) => isUnsigned(source, one))) return 'bad'
      if (one.sources.length === 0 && one.signatures === 'not-enforced') return 'bad'
      const isSure = one.sources.every(
        ({ signatures }) => signatures === 'enforced' || (signatures === 'default' && one.signatures === 'enforced'),
      )
      return isSure && one.signatures !== 'unknown' && !one.truncated && one.unreadable.length === 0
        ? 'good'
        : 'unknown'
    }),
  )
}

function componentList({ packages, 'patch-level': level }: Posture): Outcome {
  if (level !== undefined && 'value' in level.images) return 'good'
  if (packages === undefined) return 'unknown'
  const isWhole = packages.manager !== 'none' && packages.total === packages.packages.length
  return when(isWhole && packages.malformed === 0 && !packages.incomplete)
}

function inputFiltered({ firewall }: Posture): Outcome {
  if (firewall === undefined) return 'unknown'
  const { ipv4, ipv6 } = firewall.input
  return every([ipv4, ipv6].map((input) => observed(input, (value) => value === 'filtered', true)))
}

function mandatoryControl({ hardening }: Posture): Outcome {
  if (hardening === undefined) return 'unknown'
  const { appArmor, seLinux } = hardening.mac
  const enforces = [
    observed(appArmor, (value) => value === 'enabled', false),
    observed(seLinux, (value) => value === 'enforcing', false),
  ]
  if (enforces.includes('good')) return 'good'
  return enforces.includes('unknown') ? 'unknown' : 'bad'
}

function debugClosed({ hardening }: Posture): Outcome {
  if (hardening === undefined) return 'unknown'
  const { logins, debugFileSystem, kernelDebugger, memoryDevice } = hardening.debug
  return every([
    observed(logins, (all) => all.every(({ kind }) => kind === 'login'), true),
    observed(debugFileSystem, (mounted) => !mounted, true),
    observed(kernelDebugger, (isSet) => !isSet, true),
    observed(memoryDevice, (access) => access !== 'open', true),
  ])
}

function portsGuarded({ hardening }: Posture): Outcome {
  if (hardening === undefined) return 'unknown'
  const { authorizedDefault, usbguard, storage } = hardening.usb
  const ways = [
    // A unit without USB has nothing to guard.
    observed(authorizedDefault, (values) => values.every((value) => value === '0'), true),
    when(usbguard === 'unknown' ? undefined : usbguard === 'enabled'),
    observed(storage, (value) => value === 'blocked', false),
  ]
  if (ways.includes('good')) return 'good'
  return ways.includes('unknown') ? 'unknown' : 'bad'
}

function storageEncrypted({ boot, hardening }: Posture): Outcome {
  if (boot === undefined) return 'unknown'
  const kinds = observed(
    boot.mappings,
    (all) => all.some(({ kind }) => 'value' in kind && kind.value.startsWith('luks')),
    false,
  )
  const swap = hardening === undefined ? 'unknown' : observed(hardening.swap, (all) => !all.includes('plain'), true)
  return kinds === 'good' ? (swap === 'bad' ? 'bad' : 'good') : kinds
}

function verifiedRoot({ boot }: Posture): Outcome {
  if (boot === undefined) return 'unknown'
  return observed(boot.mappings, (all) => all.some(({ kind }) => 'value' in kind && kind.value === 'verity'), false)
}

function knownPrograms({ sockets }: Posture): Outcome {
  if (sockets === undefined) return 'unknown'
  const origins = sockets.listeners.flatMap(({ programs = [] }) => programs.map(({ origin }) => origin))
  if (origins.includes('none')) return 'bad'
  const hidden = sockets.listeners.some(({ owner }) => owner === 'hidden')
  return hidden || sockets.truncated || origins.includes('unknown') ? 'unknown' : 'good'
}

const operations = (posture: Posture, look: (content: SectionContents['operations']) => Outcome): Outcome =>
  posture.operations === undefined ? 'unknown' : look(posture.operations)

function restarted({ 'patch-level': level }: Posture): Outcome {
  if (level === undefined) return 'unknown'
  const kernel = observed(
    level.kernel,
    ({ running: which }) => (which === 'unlisted' ? undefined : which === 'newest'),
    true,
  )
  return every([kernel, observed(level.reboot, (value) => value === 'not-flagged', true)])
}

function securityUpdates({ 'patch-level': level }: Posture): Outcome {
  if (level === undefined) return 'unknown'
  return observed(level.updates, ({ security, securityTold, total }) =>
    securityTold ? security === 0 : total === 0 ? true : undefined,
  )
}

/** By signal, what one posture says. Equal postures say the same, so each is looked at once for all its units. */
export const POSTURE_SIGNALS = {
  'vulnerability.component-list': componentList,
  'patch.update-channel': ({ 'update-channel': channel, 'patch-level': level }: Posture): Outcome =>
    channel === undefined
      ? 'unknown'
      : when(channel.channels.length > 0 || (level !== undefined && 'value' in level.images)),
  'patch.supported-system': supportedSystem,
  'patch.signed-channel': signedChannel,
  'patch.security-updates': securityUpdates,
  'patch.restarted': restarted,
  'monitoring.log-service': (posture: Posture) => operations(posture, ({ logging }) => when(running(logging.services))),
  'monitoring.logs-forwarded': (posture: Posture) =>
    operations(posture, ({ logging }) => (logging.targets.length > 0 ? when(running(logging.services)) : 'bad')),
  'monitoring.audit': (posture: Posture) => operations(posture, ({ audit }) => when(running(audit.services))),
  'monitoring.time-synchronised': (posture: Posture) => operations(posture, ({ time }) => when(running(time.services))),
  'recovery.fallback-image': ({ 'patch-level': level }: Posture): Outcome =>
    level === undefined ? 'unknown' : observed(level.images, (images) => images.length > 0, false),
  'access.no-empty-password': (posture: Posture) =>
    noAccount(posture, (account) => password(account) === 'empty', true),
  'access.no-extra-superuser': (posture: Posture) =>
    noAccount(posture, ({ superuser, name }) => superuser && name !== 'root', false),
  'access.no-password-ssh': ({ access }: Posture): Outcome =>
    access === undefined ? 'unknown' : every(access.ssh.map((daemon) => when(invert(takesPasswords(daemon))))),
  'access.input-filtered': inputFiltered,
  'access.mandatory-control': mandatoryControl,
  'physical.ports-guarded': portsGuarded,
  'physical.debug-closed': debugClosed,
  'data.logs-encrypted': (posture: Posture) =>
    operations(posture, ({ logging }) =>
      every(logging.targets.map(({ tls }) => (tls === 'unknown' ? 'unknown' : when(tls === 'on')))),
    ),
  'data.storage-encrypted': storageEncrypted,
  'data.secure-boot': ({ boot }: Posture): Outcome =>
    boot === undefined ? 'unknown' : observed(boot.secureBoot, (isOn) => isOn, false),
  'data.verified-root': verifiedRoot,
  'data.strong-password-hashes': (posture: Posture) =>
    noAccount(posture, (account) => 'value' in account.password && isWeakPassword(account.password.value), true),
  'supply.known-programs': knownPrograms,
} as const satisfies Record<string, (posture: Posture, time: PostureTime) => Outcome>

function invert(is: boolean | undefined): boolean | undefined {
  return is === undefined ? undefined : !is
}

export type PostureSignalId = keyof typeof POSTURE_SIGNALS
export const POSTURE_SIGNAL_IDS = Object.keys(POSTURE_SIGNALS) as readonly PostureSignalId[]
