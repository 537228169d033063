import * as v from 'valibot'
import { keyOf, sortedTexts, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const SOCKET_TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const
export type SocketTable = (typeof SOCKET_TABLES)[number]

export const SOCKET_PROTOCOLS = ['tcp', 'udp', 'udplite', 'sctp', 'raw', 'icmp', 'packet'] as const
export type SocketProtocol = (typeof SOCKET_PROTOCOLS)[number]

/** Whatever port the kernel chose: another one each time. */
export const EPHEMERAL = 'ephemeral'

/** How far a bound address reaches. `address` is one of the unit's own, which differs from unit to unit. */
export const SOCKET_SCOPES = ['any', 'address', 'multicast', 'link', 'loopback'] as const
export type SocketScope = (typeof SOCKET_SCOPES)[number]

export const MAX_LISTENERS = 1024
export const MAX_EXECUTABLES = 32

const listenerFields = v.strictObject({
  protocol: v.picklist(SOCKET_PROTOCOLS),
  /** `link`: below IP, packet(7). `any`: of ephemeral ports, which are told by who uses them. */
  family: v.picklist(['ipv4', 'ipv6', 'link', 'any']),
  scope: v.picklist(SOCKET_SCOPES),
  /** Only where it is the same on every unit: any, loopback and multicast addresses. */
  address: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f.:]{1,45}$/))),
  /** The IP protocol's number of a raw socket, the EtherType of a packet socket (3: all). */
  port: v.union([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)), v.literal(EPHEMERAL)]),
  /**
   * `known`: the executables below hold it. `hidden`: none was found among the processes that could be examined, but
   * not all could. `none`: all that this system shows were examined; the kernel holds it, or another PID namespace.
   */
  owner: v.picklist(['known', 'hidden', 'none']),
  executables: v.exactOptional(v.pipe(v.array(text(512)), v.minLength(1), v.maxLength(MAX_EXECUTABLES))),
})

/** The kinds of sockets without an address have none in any field, so that each difference is one of the subject. */
const listenerSchema = v.pipe(
  listenerFields,
  v.check(({ family, address }) => address === undefined || isInternet(family), 'an address of no address family'),
  v.check(({ family, port }) => (port === EPHEMERAL) === (family === 'any'), 'a port that does not fit the family'),
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
export type SocketsContent = v.InferOutput<typeof schema>

/**
 * `tcp/0.0.0.0:22`, `udp/[::]:53`, `tcp/ipv4-address:443` for an address of the unit's own, `packet/link-link:3`, and
 * `udp/ephemeral "/usr/bin/ntpd"`.
 */
export function listenerSubject(listener: Omit<Listener, 'owner'>): string {
  const { protocol, family, scope, address, port, executables = [] } = listener
  if (port === EPHEMERAL)
    return [`${protocol}/${EPHEMERAL}`, ...executables.map((path) => JSON.stringify(path))].join(' ')
  const where = address === undefined ? `${family}-${scope}` : family === 'ipv6' ? `[${address}]` : address
  return `${protocol}/${where}:${port}`
}

function ownerOf(listener: Listener): string {
  const executables = listener.executables ?? []
  const owner = { known: '', hidden: 'owner not visible', none: 'kernel or no owner' }[listener.owner]
  return [owner, ...executables.map((path) => JSON.stringify(path))].filter((part) => part !== '').join(' ')
}

export const sockets: SectionDefinition<SocketsContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    tables: sortedUnique(content.tables, (table) => table),
    listeners: sortedUnique(
      content.listeners.map((listener) =>
        listener.executables === undefined ? listener : { ...listener, executables: sortedTexts(listener.executables) },
      ),
      (listener) =>
        keyOf(
          listener.protocol,
          listener.family,
          listener.scope,
          listener.address,
          listener.port,
          listener.owner,
          ...(listener.executables ?? []),
        ),
    ),
  }),
  facts: (content) => [
    { subject: 'tables', value: content.tables.join(' ') },
    { subject: 'owners', value: content.owners },
    { subject: 'truncated', value: String(content.truncated) },
    // Where the list is whole, its entries say it all; a number beside them would be a second finding of one cause.
    ...(content.truncated ? [{ subject: 'listeners found', value: String(content.total) }] : []),
    { subject: 'malformed lines', value: String(content.malformed) },
    ...content.listeners.map((listener) => ({
      subject: listenerSubject(listener),
      value: `${listener.scope}, ${listener.port === EPHEMERAL ? listener.owner : ownerOf(listener)}`,
    })),
  ],
}
