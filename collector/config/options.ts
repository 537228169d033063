import { defineConfig, option, type ConfigValues } from '../../shared/config/definition.ts'
import { isLoopbackHost, serverUrl } from '../../shared/config/url-types.ts'
import { canShareEmbeddedBroker, ROLES, ROLES_AT_THE_BROKER } from '../roles/role.ts'
import { advisoriesSection, hasFittingSignatures, isEncrypted, isUnique } from './feed-options.ts'
import { notificationSections } from './notification-options.ts'
import { oidcSection } from './oidc-options.ts'
import {
  boolean,
  choice,
  host,
  hostOrSocketDirectory,
  integer,
  optionalPath,
  path,
  port,
  someOf,
  text,
} from '../../shared/config/value-types.ts'

const DAY = 86_400
const MIB = 1024 * 1024

/** Every option of the collector. Empty text means that the collector finds the value by itself, or does without. */
export const collectorConfig = defineConfig(
  'collector',
  {
    data: {
      directory: option(path(), '/var/lib/keepseal-collector', 'Database and keys of this collector.'),
    },
    serve: {
      roles: option(someOf(ROLES), ROLES, 'What this process does; several share the work on one database.'),
      drain_seconds: option(
        integer(1, 600),
        20,
        'Longest time to decide what was taken in, once the process is told to end.',
      ),
    },
    ingest: {
      workers: option(
        integer(0, 64),
        0,
        'Threads that check signatures ahead of the decision; 0: none. Worth it with cores to spare.',
      ),
    },
    store: {
      engine: option(
        choice(['sqlite', 'postgresql']),
        'sqlite',
        'Database in a file of data.directory, or on a server of PostgreSQL, which several collectors can share.',
      ),
      keep_one_in: option(
        integer(1, 100_000),
        288,
        'Of reports that tell nothing new, one in so many is kept as it came. All are counted.',
      ),
    },
    postgresql: {
      host: option(
        hostOrSocketDirectory(),
        '/run/postgresql',
        'Server, or the directory of its socket. A server on another machine is reached by TLS alone.',
      ),
      port: option(integer(1, 65_535), 5432, 'Port of the server, which its socket is named after too.'),
      database: option(text(63), 'keepseal', 'Name of the database.'),
      user: option(text(63), 'keepseal-collector', 'User of the database.'),
      password_file: option(optionalPath(), '', 'Password of that user. Empty: the server knows it by its socket.', {
        secretFile: true,
      }),
      ca_file: option(optionalPath(), '', "Certificate authority of the server, in PEM. Empty: the system's."),
      connections: option(integer(2, 200), 10, 'Most connections of this collector at once.'),
    },
    http: {
      host: option(host(), '0.0.0.0', 'Address to serve HTTPS on.'),
      port: option(port(), 8443, 'Port to serve HTTPS on.'),
      public_url: option(
        serverUrl({ schemes: ['https:'], words: [''] }),
        '',
        'Address that devices and people reach it by. Empty: from the host name of this machine.',
      ),
      certificate_file: option(
        optionalPath(),
        '',
        "TLS certificate chain, in PEM. Empty: issued by the collector's own CA.",
      ),
      key_file: option(optionalPath(), '', 'Private key of that certificate, in PEM.', { secretFile: true }),
      plain: option(boolean(), false, 'Serve the pages also without TLS, on 127.0.0.1 only.'),
      plain_port: option(port(), 8080, 'Port to serve HTTP on, if plain is true.'),
    },
    mqtt: {
      broker: option(
        serverUrl({ schemes: ['mqtts:'], loopbackSchemes: ['mqtt:'], words: ['embedded'] }),
        'embedded',
        'Broker inside the collector, or the address of one that runs elsewhere.',
      ),
      listen_host: option(host(), '0.0.0.0', 'Address of the embedded broker.'),
      listen_port: option(port(), 8883, 'Port of the embedded broker (MQTT over TLS).'),
      ca_file: option(optionalPath(), '', 'Certificate authority of an external broker, in PEM.'),
      client_certificate_file: option(optionalPath(), '', 'Certificate to log in to an external broker with, in PEM.'),
      client_key_file: option(optionalPath(), '', 'Private key of that certificate, in PEM.', { secretFile: true }),
      public_url: option(
        serverUrl({ schemes: ['mqtts:'], loopbackSchemes: ['mqtt:'], words: [''] }),
        '',
        'Broker address that devices get at enrolment. Empty: the broker, at the host of http.public_url.',
      ),
    },
    oidc: oidcSection,
    metrics: {
      host: option(host(), '127.0.0.1', 'Address to serve Prometheus metrics on.'),
      port: option(port(), 9464, 'Port to serve Prometheus metrics on.'),
    },
    trust: {
      ek_roots_directory: option(path(), '/etc/keepseal/ek-roots', 'Certificates of the TPM vendors that are trusted.'),
    },
    catalogue: {
      file: option(
        optionalPath(),
        '',
        'What is said about the practices, amended by the certifier. Empty: the words of the product.',
      ),
    },
    freshness: {
      epoch_period_seconds: option(integer(10, DAY), 300, 'Time from one epoch to the next.'),
      window_seconds: option(integer(10, 7 * DAY), 600, 'How long after its issue an epoch makes evidence fresh.'),
      max_extension_seconds: option(
        integer(0, 7 * DAY),
        3_600,
        "Bound of what the collector's own downtime adds to that window; results say so.",
      ),
    },
    advisories: advisoriesSection,
    practices: {
      evaluation_seconds: option(
        integer(10, DAY),
        3600,
        'How often practices are evaluated. Drift waits for three of four evaluations.',
      ),
    },
    liveness: {
      report_interval_seconds: option(integer(10, 7 * DAY), 300, 'How often devices are expected to report.'),
      stale_intervals: option(integer(1, 1000), 2, 'Missed intervals after which a device is stale.'),
      longest_interval_seconds: option(
        integer(10, 7 * DAY),
        3600,
        'Longest interval that is believed of a device which says that it reports less often.',
      ),
      silent_after_seconds: option(
        integer(60, 3650 * DAY),
        DAY,
        'Time without evidence after which a device is silent.',
      ),
    },
    receipts: {
      min_interval_seconds: option(integer(0, DAY), 1200, 'Least time between two receipts that tell nothing new.'),
    },
    results: {
      refresh_seconds: option(
        integer(0, 30 * DAY),
        0,
        'Age at which the newest signed result of a device is signed anew; 0: when it has changed, and on request.',
      ),
    },
    limits: {
      message_bytes: option(integer(4096, 65_536), 65_536, 'Largest message that is accepted.'),
      section_bytes: option(integer(65_536, 64 * MIB), 8 * MIB, 'Largest section content, after decompression.'),
      device_messages_per_minute: option(integer(1, 100_000), 120, 'Messages that one device may send in a minute.'),
    },
    ...notificationSections,
    retention: {
      evidence_days: option(integer(1, 36_500), 400, 'How long reports are kept as they came.'),
      history_days: option(integer(7, 36_500), 1_825, 'How long it is known when a device reported what.'),
      refusals_days: option(
        integer(1, 36_500),
        90,
        'How long refused messages are kept. Their number is kept for ever.',
      ),
      findings_days: option(integer(1, 36_500), 1_825, 'How long resolved findings are kept that belong to no case.'),
      pcr_values_days: option(integer(2, 36_500), 7, 'How long PCR values are kept that no device reports any more.'),
    },
    log: {
      level: option(choice(['error', 'warn', 'info', 'debug']), 'info', 'Least severity that is logged.'),
    },
  },
  [
    {
      names: ['serve.roles', 'mqtt.broker'],
      requirement: `have all of ${ROLES_AT_THE_BROKER.join(', ')} or none: with an embedded broker they are one process`,
      holds: ({ serve, mqtt }) => mqtt.broker !== 'embedded' || canShareEmbeddedBroker(serve.roles),
    },
    {
      names: ['freshness.window_seconds', 'freshness.epoch_period_seconds'],
      requirement: 'be at least freshness.epoch_period_seconds, or there are times without any current epoch',
      holds: ({ freshness }) => freshness.windowSeconds >= freshness.epochPeriodSeconds,
    },
    {
      names: ['liveness.silent_after_seconds', 'liveness.stale_intervals', 'liveness.report_interval_seconds'],
      requirement: 'be more than liveness.stale_intervals times liveness.report_interval_seconds',
      holds: ({ liveness }) => liveness.silentAfterSeconds > liveness.staleIntervals * liveness.reportIntervalSeconds,
    },
    {
      // A run tells that a message was counted; the message without its run would tell nothing.
      names: ['retention.history_days', 'retention.evidence_days'],
      requirement: 'be at least retention.evidence_days',
      holds: ({ retention }) => retention.historyDays >= retention.evidenceDays,
    },
    {
      names: ['http.key_file', 'http.certificate_file'],
      requirement: 'be given together with http.certificate_file',
      holds: ({ http }) => (http.keyFile === '') === (http.certificateFile === ''),
    },
    {
      names: ['webhook.secret_file', 'webhook.url'],
      requirement: 'be given together with webhook.url: nobody could tell true events from invented ones',
      holds: ({ webhook }) => (webhook.url === '') === (webhook.secretFile === ''),
    },
    {
      names: ['mail.to', 'mail.from', 'mail.url'],
      requirement: 'be given together with mail.from and mail.url',
      holds: ({ mail }) => (mail.url === '') === (mail.to === '') && (mail.url === '') === (mail.from === ''),
    },
    {
      names: ['mail.password_file', 'mail.user'],
      requirement: 'be given together with mail.user',
      holds: ({ mail }) => (mail.user === '') === (mail.passwordFile === ''),
    },
    {
      names: ['oidc.client_id', 'oidc.issuer'],
      requirement: 'be given together with oidc.issuer',
      holds: ({ oidc }) => (oidc.clientId === '') === (oidc.issuer === ''),
    },
    {
      names: ['oidc.client_secret_file', 'oidc.issuer'],
      requirement: 'be given with oidc.issuer alone',
      holds: ({ oidc }) => oidc.clientSecretFile === '' || oidc.issuer !== '',
    },
    {
      // Nobody has a role by default.
      names: ['oidc.roles', 'oidc.issuer'],
      requirement: 'be given together with oidc.issuer: nobody could log in otherwise',
      holds: ({ oidc }) => (oidc.roles.length === 0) === (oidc.issuer === ''),
    },
    {
      names: ['advisories.feeds'],
      requirement:
        'have a name of its own for each feed, and none of them "own", which is for what is imported by hand',
      holds: ({ advisories: { feeds } }) => isUnique(feeds) && feeds.every(({ name }) => name !== 'own'),
    },
    {
      names: ['advisories.feeds'],
      requirement: 'have https addresses, unless plain_http = true says otherwise',
      holds: ({ advisories: { feeds } }) => feeds.every(isEncrypted),
    },
    {
      names: ['advisories.feeds'],
      requirement: 'have openpgp_key_file where signatures = "required", and both for kind csaf-provider alone',
      holds: ({ advisories: { feeds } }) => feeds.every(hasFittingSignatures),
    },
    {
      names: ['oidc.scope'],
      requirement: 'contain openid',
      holds: ({ oidc }) => oidc.scope.split(' ').includes('openid'),
    },
    {
      names: ['mqtt.client_key_file', 'mqtt.client_certificate_file'],
      requirement: 'be given together with mqtt.client_certificate_file',
      holds: ({ mqtt }) => (mqtt.clientKeyFile === '') === (mqtt.clientCertificateFile === ''),
    },
    {
      // A remote broker knows who may read and write what by the client's certificate alone.
      names: ['mqtt.client_certificate_file', 'mqtt.broker'],
      requirement: 'be given for a broker that runs on another machine',
      holds: ({ mqtt }) => mqtt.broker === 'embedded' || mqtt.clientCertificateFile !== '' || isLocal(mqtt.broker),
    },
  ],
)

function isLocal(url: string): boolean {
  return isLoopbackHost(new URL(url).hostname)
}

export type CollectorConfig = ConfigValues<typeof collectorConfig.sections>
