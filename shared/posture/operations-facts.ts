import type { FindingCode } from '../codes/findings.ts'
import { describe, isUnread } from './observation.ts'
import { codesFor, type Fact } from './section-definition.ts'
import type { LogTarget, OperationsContent, ServiceState, TimeServer } from './sections/operations.ts'

const NOT_READABLE = codesFor('operations.not-readable')

const servicesText = (services: readonly ServiceState[]): string =>
  services.length === 0
    ? 'none'
    : services.map(({ service, state }) => `${JSON.stringify(service)} ${state}`).join(', ')

const runs = (services: readonly ServiceState[]): boolean => services.some(({ state }) => state === 'on')
const isUnknown = (services: readonly ServiceState[]): boolean => services.some(({ state }) => state === 'unknown')

/** Without a service that runs: whether none does, or that cannot be told. */
const isHidden = (services: readonly ServiceState[]): boolean => !runs(services) && isUnknown(services)

/** Something that has to run: that it does not any more is another finding than that it runs otherwise. */
function running(services: readonly ServiceState[], changed: FindingCode, off: FindingCode) {
  return {
    codes: isHidden(services) ? NOT_READABLE : { ...codesFor(changed), weakened: off },
    strength: { runs: isHidden(services) ? Number.POSITIVE_INFINITY : Number(runs(services)) },
  }
}

const serverText = ({ service, kind, address, nts }: TimeServer): string =>
  `${kind} ${JSON.stringify(address)} of ${JSON.stringify(service)}${nts ? ' with NTS' : ''}`

/** What the network says about time. A constraint or a clock of the machine's own is not a server. */
const fromNetwork = ({ kind }: TimeServer): boolean => kind !== 'reference-clock' && kind !== 'sensor'

function timeFacts({ services, servers }: OperationsContent['time']): readonly Fact[] {
  const asked = servers.filter(fromNetwork)
  return [
    {
      subject: 'time synchronisation',
      value: servicesText(services),
      ...running(services, 'operations.time-sync-changed', 'operations.time-sync-off'),
    },
    {
      subject: 'time servers',
      value: servers.length === 0 ? 'as built in' : servers.map(serverText).join(', '),
      codes: {
        ...codesFor('operations.time-servers-changed'),
        weakened: 'operations.time-servers-unauthenticated',
      },
      strength: { authenticated: Number(asked.length > 0 && asked.every(({ nts }) => nts)) },
    },
  ]
}

const targetText = ({ service, address, protocol, tls, selector }: LogTarget): string =>
  `${JSON.stringify(address)} of ${JSON.stringify(service)} by ${JSON.stringify(protocol)}, TLS ${tls}, ${JSON.stringify(selector)}`

/** Messages leave the unit where a target is named by a service that runs. */
function logFacts({ services, targets, journal }: OperationsContent['logging']): readonly Fact[] {
  const senders = new Set(services.filter(({ state }) => state === 'on').map(({ service }) => service))
  const active = targets.filter(({ service }) => senders.has(service))
  const isForwarded = active.length > 0
  return [
    {
      subject: 'log forwarding',
      value: `${servicesText(services)}; to ${targets.length === 0 ? 'nobody' : targets.map(targetText).join(', ')}`,
      codes:
        !isForwarded && isUnknown(services)
          ? NOT_READABLE
          : {
              ...codesFor('operations.log-forwarding-changed'),
              weakened: isForwarded ? 'operations.log-forwarding-not-encrypted' : 'operations.log-forwarding-off',
            },
      strength: {
        forwarded: Number(isForwarded),
        encrypted: Number(isForwarded && active.every(({ tls }) => tls === 'on')),
      },
    },
    {
      subject: 'journal',
      value: describe(journal, ({ storage, forwardToSyslog }) => `${storage}${forwardToSyslog ? ', to syslog' : ''}`),
      codes: isUnread(journal) ? NOT_READABLE : codesFor('operations.journal-changed'),
    },
  ]
}

function auditFact({ services, commandLine, loginIds, rules }: OperationsContent['audit']): Fact {
  const isOff = 'value' in commandLine && commandLine.value === 'off'
  const daemon = running(services, 'operations.audit-changed', 'operations.audit-off')
  return {
    subject: 'audit',
    value: [
      servicesText(services),
      `kernel ${describe(commandLine)}`,
      `login ids ${describe(loginIds)}`,
      `rules ${describe(rules, ({ count, digest, locked }) => `${count}, ${digest}${locked ? ', locked' : ''}`)}`,
    ].join('; '),
    codes: { ...daemon.codes, ...(isUnread(rules) ? NOT_READABLE : {}) },
    strength: { ...daemon.strength, allowed: Number(!isOff) },
  }
}

export function operationsFacts(content: OperationsContent): readonly Fact[] {
  return [
    ...timeFacts(content.time),
    ...logFacts(content.logging),
    auditFact(content.audit),
    ...content.unread.map(({ path, why }) => ({
      subject: `not read ${JSON.stringify(path)}`,
      value: why,
      codes: NOT_READABLE,
    })),
    { subject: 'lists', value: content.truncated ? 'cut' : 'whole', codes: NOT_READABLE },
  ]
}
