import * as v from 'valibot'
import { operationsFacts } from '../operations-facts.ts'
import { MISSING, observation } from '../observation.ts'
import { keyOf, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const MAX_SERVERS = 64
export const MAX_TARGETS = 64
export const MAX_UNREAD = 64

const name = text(128)
const address = text(512)
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const list = <T>(item: v.GenericSchema<unknown, T>, max: number) => v.pipe(v.array(item), v.maxLength(max))

/**
 * `on`: started at boot, and running as far as that shows. `stopped`: started at boot and not running now. `off`:
 * installed and not started. Those that are not installed are not listed.
 */
export const SERVICE_STATES = ['on', 'stopped', 'off', 'masked', 'unknown'] as const

const serviceSchema = v.strictObject({ service: name, state: v.picklist(SERVICE_STATES) })
const services = list(serviceSchema, 16)

export const SERVER_KINDS = ['server', 'pool', 'peer', 'fallback', 'reference-clock', 'sensor', 'constraint'] as const

const serverSchema = v.strictObject({
  service: name,
  kind: v.picklist(SERVER_KINDS),
  address,
  /** Network Time Security, RFC 8915. */
  nts: v.boolean(),
})

const targetSchema = v.strictObject({
  service: name,
  address,
  protocol: name,
  /** `unknown`: the settings do not tell. */
  tls: v.picklist(['on', 'off', 'unknown']),
  /** Which messages, as it is written; empty where the service sends all or decides elsewhere. */
  selector: text(256),
})

const schema = v.strictObject({
  time: v.strictObject({
    services,
    /** What the configuration names, equal on equal units. Servers that DHCP names are not in it. */
    servers: list(serverSchema, MAX_SERVERS),
  }),
  logging: v.strictObject({
    services,
    targets: list(targetSchema, MAX_TARGETS),
    /** `absent`: no journald. */
    journal: observation(
      v.strictObject({
        /** Where journald keeps it: `auto` is decided, by whether /var/log/journal is there. */
        storage: v.picklist(['persistent', 'volatile', 'none', 'unknown']),
        forwardToSyslog: v.boolean(),
      }),
    ),
  }),
  audit: v.strictObject({
    services,
    /** `audit=` of the kernel's command line; `default`: not named. */
    commandLine: observation(v.picklist(['on', 'off', 'default'])),
    /** Whether the kernel can tell which login a process comes from, so that audit records name a person. */
    loginIds: observation(v.boolean()),
    /** The rules in their order, without comments. `absent`: there are no files of rules. */
    rules: observation(
      v.strictObject({
        count,
        digest,
        /** `-e 2`: not to be changed until the next boot. */
        locked: v.boolean(),
      }),
    ),
  }),
  /** Files that exist and could not be read, or not be understood. */
  unread: list(v.strictObject({ path: address, why: v.picklist(MISSING) }), MAX_UNREAD),
  /** One of the lists above was cut at its bound. */
  truncated: v.boolean(),
})

export type OperationsContent = v.InferOutput<typeof schema>
export type ServiceState = v.InferOutput<typeof serviceSchema>
export type TimeServer = v.InferOutput<typeof serverSchema>
export type LogTarget = v.InferOutput<typeof targetSchema>

const sortedServices = (all: ServiceState[]): ServiceState[] =>
  sortedUnique(all, ({ service, state }) => keyOf(service, state))

export const operations: SectionDefinition<OperationsContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    time: {
      services: sortedServices(content.time.services),
      servers: sortedUnique(content.time.servers, (one) => keyOf(one.service, one.kind, one.address, one.nts)),
    },
    logging: {
      ...content.logging,
      services: sortedServices(content.logging.services),
      targets: sortedUnique(content.logging.targets, (one) =>
        keyOf(one.service, one.address, one.protocol, one.tls, one.selector),
      ),
    },
    audit: { ...content.audit, services: sortedServices(content.audit.services) },
    unread: sortedUnique(content.unread, ({ path, why }) => keyOf(path, why)),
  }),
  facts: operationsFacts,
}
