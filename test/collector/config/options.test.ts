import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { checkConfigCommand } from '../../../collector/cli/server/check-config.ts'
import { collectorConfig } from '../../../collector/config/options.ts'
import { configAsToml } from '../../../shared/config/show.ts'
import { ConfigurationError } from '../../../shared/config/problems.ts'
import { resolveConfig } from '../../../shared/config/resolve.ts'
import { settingFromAssignment } from '../../../shared/config/settings.ts'
import { describeConfig } from '../../support/config-suite.ts'

describeConfig({
  definition: collectorConfig,
  commands: [checkConfigCommand],
  show: ['check-config', '--show'],
  check: ['check-config'],
  withSecretFile: (path) => `[http]\ncertificate_file = "/etc/ssl/server.pem"\nkey_file = "${path}"\n`,
})

const resolve = (...assignments: string[]): unknown =>
  resolveConfig(
    collectorConfig,
    assignments.map((assignment) => settingFromAssignment(collectorConfig, assignment)),
  )

const CLIENT = ['mqtt.client_certificate_file=/c.pem', 'mqtt.client_key_file=/k.pem']

const OIDC = [
  'oidc.issuer=https://id.example',
  'oidc.client_id=keepseal',
  'oidc.roles=staff = vendor @ Acme, Inc; a=auditor',
]

const FEED = { name: 'debian', kind: 'osv-zip', url: 'https://feeds.example/all.zip' }
const CSAF = { ...FEED, kind: 'csaf-provider' }
const feeds = (...list: object[]): string[] => [`advisories.feeds=${JSON.stringify(list)}`]

describe('the collector refuses', () => {
  test.each([
    ['a window shorter than the time between epochs', ['freshness.window_seconds=299']],
    ['to call a device silent before it is stale', ['liveness.silent_after_seconds=600']],
    ['a certificate without its key', ['http.certificate_file=/c.pem']],
    ['a client key without its certificate', ['mqtt.client_key_file=/k.pem']],
    ['a remote broker without a client certificate', ['mqtt.broker=mqtts://broker.example.com:8883']],
    ['a remote broker without TLS', ['mqtt.broker=mqtt://broker.example.com:1883', ...CLIENT]],
    ['roles apart that need one embedded broker', ['serve.roles=ingest,tracker,notify']],
    ['a role twice', ['serve.roles=ingest,ingest,api,tracker']],
    ['no role at all', ['serve.roles=']],
    [
      'a provider of people without what it knows the collector as',
      ['oidc.issuer=https://id.example', ...OIDC.slice(2)],
    ],
    ['a provider that gives nobody a role', ['oidc.issuer=https://id.example', 'oidc.client_id=keepseal']],
    ['roles of a provider that is not named', ['oidc.roles=staff = vendor']],
    ['a role that there is not', [...OIDC.slice(0, 2), 'oidc.roles=staff = owner']],
    ['a provider without TLS', ['oidc.issuer=http://id.example', ...OIDC.slice(1)]],
    ['a provider that is not asked who somebody is', [...OIDC, 'oidc.scope=profile']],
    ['two feeds of one name', feeds(FEED, { ...FEED, url: 'https://other.example/' })],
    ['a feed in the place of what is imported by hand', feeds({ ...FEED, name: 'own' })],
    ['a feed without TLS', feeds({ ...FEED, url: 'http://feeds.example/all.zip' })],
    ['a feed with a secret in its address', feeds({ ...FEED, url: 'https://me:secret@feeds.example/' })],
    ['a feed from a file', feeds({ ...FEED, url: 'file:///etc/passwd' })],
    ['a feed of no known kind', feeds({ ...FEED, kind: 'rss' })],
    ['a feed with a key that there is not', feeds({ ...FEED, uri: 'x' })],
    ['signatures that are required without the key of their publisher', feeds({ ...CSAF, signatures: 'required' })],
    ['signatures of feeds that have none', feeds({ ...FEED, openpgp_key_file: '/etc/keepseal/key.asc' })],
    ['feeds that are no JSON', ['advisories.feeds=debian']],
    ['messages above the size of the wire format', ['limits.message_bytes=65537']],
  ])('%s', (_, assignments) => {
    expect(() => resolve(...assignments)).toThrow(ConfigurationError)
  })
})

test.each([
  ['a remote broker with a client certificate', ['mqtt.broker=mqtts://broker.example.com:8883', ...CLIENT]],
  ['roles apart at a broker that runs elsewhere', ['mqtt.broker=mqtt://localhost:1883', 'serve.roles=ingest']],
  ['a process beside that of the embedded broker which only tells people', ['serve.roles=notify']],
  ['a provider of people with their roles', OIDC],
  ['feeds with all that is said of them', feeds({ ...CSAF, openpgp_key_file: '/k.asc', signatures: 'required' })],
  ['a feed without TLS where that is wanted', feeds({ ...FEED, url: 'http://feeds.example/', plain_http: true })],
  ['a broker on this machine', ['mqtt.broker=mqtt://localhost:1883']],
])('the collector accepts %s', (_, assignments) => {
  expect(() => resolve(...assignments)).not.toThrow()
})

test('feeds are shown as they could be written in the file', async () => {
  const resolved = resolveConfig(collectorConfig, [settingFromAssignment(collectorConfig, feeds(FEED)[0] ?? '')])
  const { advisories } = parse(configAsToml(collectorConfig, resolved))
  expect(advisories).toMatchObject({ feeds: [FEED] })
})
