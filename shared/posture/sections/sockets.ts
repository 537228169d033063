import * as v from 'valibot'
import { keyOf, sortedTexts, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const SOCKET_TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const
export type SocketTable = (typeof SOCKET_TABLES)[number]

export const SOCKET_PROTOCOLS = ['tcp', 'udp', 'udplite', 'sctp', 'raw', 'icmp', 'packet', 'vsock'] as const
export type SocketProtocol = (typeof SOCKET_PROTOCOLS)[number]

/** Whatever port the kernel chose: another one each time. */
export const EPHEMERAL = 'ephemeral'

/** How far a bound address reaches. `address` is one of the unit's own, which differs from unit to unit. */
export const SOCKET_SCOPES = ['any', 'address', 'multicast', 'link', 'loopback'] as const
export type SocketScope = (typeof SOCKET_SCOPES)[number]

export const MAX_LISTENERS = 1024
export const MAX_PROGRAMS = 32
export const MAX_INTERFACES = 32

/** Whether something could be looked at. `absent`: what would tell it is not installed. */
export const SOCKET_SIGHTS = ['visible', 'no-permission', 'absent', 'too-large', 'unreadable'] as const
export type SocketSight = (typeof SOCKET_SIGHTS)[number]

const named = (maxLength: number) => v.pipe(text(maxLength), v.minLength(1))

/** What holds a socket. */
const programSchema = v.pipe(
  v.strictObject({
    executable: text(512),
    /** The systemd unit, or the kind of container or session. Left out where the process is in none. */
    unit: v.exactOptional(named(256)),
    /** `none`: no package has this file. `unknown`: not all that would tell could be looked at. */
    origin: v.picklist(['package', 'none', 'unknown']),
    package: v.exactOptional(named(256)),
  }),
  v.check(({ origin, package: name }) => (origin === 'package') === (name !== undefined), 'an origin without package'),
)

const port = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))

const listenerFields = v.strictObject({
  protocol: v.picklist(SOCKET_PROTOCOLS),
  /** `link`: below IP, packet(7). `vsock`: vsock(7). `any`: of ephemeral ports, which are told by who uses them. */
  family: v.picklist(['ipv4', 'ipv6', 'link', 'vsock', 'any']),
  scope: v.picklist(SOCKET_SCOPES),
  /** Only where it is the same on every unit: any, loopback and multicast addresses. */
  address: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f.:]{1,45}$/))),
  /** The IP protocol's number of a raw socket, the EtherType of a packet socket (3: all), 32 bits of a vsock(7). */
  port: v.union([port(0xffffffff), v.literal(EPHEMERAL)]),
  /** Another network namespace than that of process 1: its name, or who is in it. */
  namespace: v.exactOptional(named(256)),
  /** Those that it is bound to; none where it is reached over every interface. Left out where that is not known. */
  interfaces: v.exactOptional(v.pipe(v.array(named(64)), v.maxLength(MAX_INTERFACES))),
  /** Whether it takes no IPv4 (IPV6_V6ONLY of ipv6(7)). Left out where that is not known, and for IPv4. */
  ipv6Only: v.exactOptional(v.boolean()),
  /**
   * `known`: the programs below hold it. `hidden`: none was found among the processes that could be examined, but
   * not all could. `none`: all that this system shows were examined; the kernel holds it, or another PID namespace.
   */
  owner: v.picklist(['known', 'hidden', 'none']),
  programs: v.exactOptional(v.pipe(v.array(programSchema), v.minLength(1), v.maxLength(MAX_PROGRAMS))),
})

/** The kinds of sockets without an address have none in any field, so that each difference is one of the subject. */
const listenerSchema = v.pipe(
  listenerFields,
  v.check(({ family, address }) => address === undefined || isInternet(family), 'an address of no address family'),
  v.check(({ family, port: at }) => (at === EPHEMERAL) === (family === 'any'), 'a port that does not fit the family'),
  v.check(({ family, port: at }) => at === EPHEMERAL || at <= 0xffff || family === 'vsock', 'a port of over 16 bits'),
  v.check(({ family, ipv6Only }) => ipv6Only === undefined || family === 'ipv6', 'IPv6 only in another family'),
)

const isInternet = (family: string): boolean => family === 'ipv4' || family === 'ipv6'

const fields = v.strictObject({
  listeners: v.pipe(v.array(listenerSchema), v.maxLength(MAX_LISTENERS)),
  /**
   * The kernel's tables of TCP and UDP that were read: one that is missing means that this kernel lacks the family.
   * The others come and go with the modules that make them, and without them there are no such sockets.
   */
  tables: v.pipe(v.array(v.picklist(SOCKET_TABLES)), v.maxLength(SOCKET_TABLES.length)),
  /** Whether all processes could be examined for their sockets; `bounded` where there were too many. */
  owners: v.picklist(['visible', 'no-permission', 'bounded']),
  /** Whether the network namespaces of all processes could be told apart and looked at. */
  namespaces: v.picklist(['visible', 'no-permission', 'bounded', 'unreadable']),
  /** Whether the interfaces and IPV6_V6ONLY are known. */
  bindings: v.picklist(SOCKET_SIGHTS),
  /** Whether sockets of vsock(7) could be looked at. A kernel without them has none. */
  vsock: v.picklist(SOCKET_SIGHTS),
  /** The list was cut at its bound; the widest reaching listeners are in it. */
  truncated: v.boolean(),
  /** Different listeners that were found. */
  total: count,
  /** Lines of the tables that could not be understood. */
  malformed: count,
})

/** A whole list has as many entries as were found: otherwise the number would be a statement that no fact shows. */
const schema = v.pipe(
  fields,
  v.check(
    ({ listeners, truncated, total }) => (truncated ? total > listeners.length : total === listeners.length),
    'the number of listeners does not fit the list',
  ),
)

export type Listener = v.InferOutput<typeof listenerSchema>
export type SocketProgram = v.InferOutput<typeof programSchema>
export type SocketsContent = v.InferOutput<typeof schema>

const quoted = (texts: readonly string[]): string => texts.map((one) => JSON.stringify(one)).join(' ')

/**
 * `tcp/0.0.0.0:22`, `udp/[::]:53`, `tcp/ipv4-address:443` for an address of the unit's own, `packet/link-link:3`,
 * `udp/ephemeral "/usr/bin/ntpd"`, and `tcp/0.0.0.0:80 in "docker container"` of another network namespace.
 */
export function listenerSubject(listener: Omit<Listener, 'owner'>): string {
  const { namespace } = listener
  return namespace === undefined ? placeOf(listener) : `${placeOf(listener)} in ${JSON.stringify(namespace)}`
}

function placeOf({ protocol, family, scope, address, port: at, programs = [] }: Omit<Listener, 'owner'>): string {
  if (at === EPHEMERAL) {
    const executables = sortedTexts(programs.map(({ executable }) => executable))
    return executables.length === 0 ? `${protocol}/${EPHEMERAL}` : `${protocol}/${EPHEMERAL} ${quoted(executables)}`
  }
  const where = address === undefined ? `${family}-${scope}` : family === 'ipv6' ? `[${address}]` : address
  return `${protocol}/${where}:${at}`
}

/** `any, on "eth0", IPv6 only, "/usr/sbin/sshd" (unit "ssh.service", package "openssh-server")` */
function listenerValue({ scope, interfaces, ipv6Only, owner, programs = [] }: Listener): string {
  const nobody = { known: '', hidden: 'owner not visible', none: 'kernel or no owner' }[owner]
  const parts: string[] = [scope]
  if (interfaces !== undefined) parts.push(interfaces.length === 0 ? 'on every interface' : `on ${quoted(interfaces)}`)
  if (ipv6Only !== undefined) parts.push(ipv6Only ? 'IPv6 only' : 'IPv4 as well')
  return [...parts, [nobody, ...programs.map(programText)].filter((part) => part !== '').join(' ')].join(', ')
}

function programText({ executable, unit, origin, package: name = '' }: SocketProgram): string {
  const from = { package: `package ${JSON.stringify(name)}`, none: 'no package', unknown: 'package not known' }[origin]
  return `${JSON.stringify(executable)} (${unit === undefined ? 'no unit' : `unit ${JSON.stringify(unit)}`}, ${from})`
}

/** What tells programs apart. */
export const programKey = ({ executable, unit, origin, package: name }: SocketProgram): string =>
  keyOf(executable, unit, origin, name)

/** A list that is left out and one that is empty differ, as do their ends from what comes after them. */
const listKey = (list: readonly string[] | undefined): string =>
  list === undefined ? '-' : keyOf(list.length, ...list)

function canonicalListener({ interfaces, programs, ...listener }: Listener): Listener {
  return {
    ...listener,
    ...(interfaces === undefined ? {} : { interfaces: sortedTexts(interfaces) }),
    ...(programs === undefined ? {} : { programs: sortedUnique(programs, programKey) }),
  }
}

function listenerKey(listener: Listener): string {
  const { protocol, family, scope, address, port: at, namespace, owner, ipv6Only, interfaces, programs } = listener
  const lists = [listKey(interfaces), listKey(programs?.map(programKey))]
  return keyOf(protocol, family, scope, address, at, namespace, owner, ipv6Only, ...lists)
}

export const sockets: SectionDefinition<SocketsContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    tables: sortedUnique(content.tables, (table) => table),
    listeners: sortedUnique(content.listeners.map(canonicalListener), listenerKey),
  }),
  facts: (content) => [
    { subject: 'tables', value: content.tables.join(' ') },
    { subject: 'owners', value: content.owners },
    { subject: 'network namespaces', value: content.namespaces },
    { subject: 'interfaces', value: content.bindings },
    { subject: 'AF_VSOCK', value: content.vsock },
    { subject: 'truncated', value: String(content.truncated) },
    // Where the list is whole, its entries say it all; a number beside them would be a second finding of one cause.
    ...(content.truncated ? [{ subject: 'listeners found', value: String(content.total) }] : []),
    { subject: 'malformed lines', value: String(content.malformed) },
    ...content.listeners.map((listener) => ({
      subject: listenerSubject(listener),
      value: listenerValue(listener),
    })),
  ],
}
