import { stat } from 'node:fs/promises'
import { X509Certificate } from 'node:crypto'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { serverUrl } from '../../../shared/config/url-types.ts'
import { random } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { certificatesIn } from '../../../shared/text/pem.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import type { CollectorConfig } from '../../config/options.ts'
import { storeLocation } from '../../config/store-location.ts'
import { publicHttpUrl, publicMqttUrl } from '../../roles/api.ts'
import { openStore } from '../../store/index.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../trust/keys.ts'
import { rotate } from '../../trust/rotation.ts'
import { collectorKeyOf, type Statement } from '../../trust/succession.ts'

const keysOf = (config: CollectorConfig): Promise<CollectorKeys> =>
  loadOrCreateKeys({ dataDirectory: config.data.directory, now: Date.now(), random })

const thumbprintOf = (key: Uint8Array): string => toHex(collectorKeyOf(key).thumbprint)

/** Files that root made would be unreadable for the service. */
async function assertOwner(directory: string): Promise<void> {
  const { uid } = await stat(directory)
  if (process.geteuid?.() === uid) return
  throw new KeepsealError('usage.invalid', `${directory} belongs to another user`, {
    remedy: 'Run this as the user that the collector runs as: runuser -u keepseal-collector -- keepseal-collector …',
  })
}

const list = defineCommand({
  name: 'keys list',
  summary: 'Show what devices are to trust, and how it came to that',
  description: [
    'The signing key and the authorities in force, and each statement by which devices follow from before.',
  ],
  options: configOptions,
  json: true,
  async run({ options, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const keys = await keysOf(config)
    const authorities = certificatesIn(keys.authorities).map((pem) => {
      const { fingerprint256, validTo } = new X509Certificate(pem)
      return { sha256: fingerprint256.replaceAll(':', '').toLowerCase(), until: new Date(validTo).toISOString() }
    })
    const statements = (keys.succession?.statements ?? []).map(
      ({ number, at, key, by, mqttUrl, collectorUrl, ...each }) => ({
        number,
        at: new Date(at * 1000).toISOString(),
        by: toHex(by),
        key: thumbprintOf(key),
        authorities: each.authorities.length,
        mqttUrl,
        collectorUrl,
      }),
    )
    const signingKey = toHex(keys.signer.keyId)
    present({ collectorId: toHex(keys.collectorId), signingKey, authorities, statements }, () =>
      [
        `signing key   ${signingKey}`,
        ...authorities.map(({ sha256 }, index) => `${index === 0 ? 'authority   ' : 'former      '}  ${sha256}`),
        ...statements.flatMap((each) => [
          `statement ${each.number}, ${each.at}`,
          `  by          ${each.by}`,
          `  key         ${each.key === each.by ? 'the same' : each.key}`,
          `  authorities ${each.authorities}`,
          `  addresses   ${printable(each.mqttUrl)}`,
          `              ${printable(each.collectorUrl)}`,
        ]),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

/**
 * Of the command line; else as they were told last, unless it is them that change; else as configured. Throws
 * `usage.invalid` where nothing names one.
 */
function addressesOf(
  config: CollectorConfig,
  given: { mqttUrl?: string | undefined; collectorUrl?: string | undefined; addresses: boolean },
  last: Statement | undefined,
) {
  if (last !== undefined && !given.addresses) {
    return { mqttUrl: given.mqttUrl ?? last.mqttUrl, collectorUrl: given.collectorUrl ?? last.collectorUrl }
  }
  const port = config.mqtt.listenPort
  const isUnknown = given.mqttUrl === undefined && config.mqtt.publicUrl === '' && port === 0
  if (isUnknown) throw new KeepsealError('usage.invalid', 'where devices find the broker: give --mqtt-url')
  return {
    mqttUrl: given.mqttUrl ?? publicMqttUrl(config, port),
    collectorUrl: given.collectorUrl ?? publicHttpUrl(config),
  }
}

const rotateKeys = defineCommand({
  name: 'keys rotate',
  summary: 'Change what devices trust, and sign how they follow',
  description: [
    'The key in force signs which key, authorities and addresses hold from now on. Devices follow by themselves, also ' +
      'those that were away over several rotations. Without --mqtt-url and --collector-url the addresses are those that ' +
      'were told last; with --addresses, or the first time, those of the configuration.',
    'Takes effect when the collector is started again: every replica, with the same keys. Copy the directory keys in ' +
      'data.directory to where you keep it, each time. Run this as the user that the collector runs as.',
  ],
  examples: [
    'keepseal-collector keys rotate --signing-key',
    'keepseal-collector keys rotate --addresses --mqtt-url mqtts://new.example.org:8883',
  ],
  options: {
    ...configOptions,
    'signing-key': { description: 'Make a new key that signs epochs, results and renewals' },
    authority: { description: 'Make a new certificate authority; the one before holds on' },
    'drop-former-authorities': { description: 'Let authorities of before hold no more' },
    addresses: { description: 'Tell devices the addresses, though nothing else changes' },
    'mqtt-url': {
      description: 'Broker that devices report to',
      value: serverUrl({ schemes: ['mqtts:'], loopbackSchemes: ['mqtt:'] }),
      placeholder: 'URL',
    },
    'collector-url': {
      description: 'Collector that devices renew from',
      value: serverUrl({ schemes: ['https:'] }),
      placeholder: 'URL',
    },
  },
  json: true,
  async run({ options, present }) {
    const { signingKey, authority, dropFormerAuthorities: dropFormer, addresses } = options
    if (!signingKey && !authority && !dropFormer && !addresses) {
      throw new KeepsealError('usage.invalid', 'say what is to change', {
        remedy: 'keepseal-collector keys rotate --help',
      })
    }
    const { values: config } = loadCollectorConfig(options, process.env)
    const keys = await keysOf(config)
    const told = addressesOf(config, options, keys.succession?.newest)
    await assertOwner(keys.directory)
    const { store, close } = await openStore(await storeLocation(config))
    try {
      const now = Date.now()
      const changes = { signingKey, authority, dropFormer }
      // Two statements of one number would part the fleet: devices follow the one that they see first, and no other.
      const { number, dropped, key } = await store.transaction(async ({ auditLog }) => {
        const subject = `${(keys.succession?.newest.number ?? 0) + 1}`
        if (await auditLog.has({ action: 'keys.rotate', subject })) {
          throw new KeepsealError('request.conflict', `statement ${subject} was signed already, with other keys`, {
            remedy: 'Copy the keys of the collector that has signed it: docs/operations.md',
          })
        }
        const rotation = await rotate({ keys, ...changes, ...told, now, random })
        const after = await keysOf(config)
        const detail = { ...changes, ...told, key: toHex(after.signer.keyId), dropped: rotation.dropped }
        await auditLog.append({ at: now, actor: 'collector', action: 'keys.rotate', subject, detail })
        return { ...rotation, key: detail.key }
      })
      present({ number, signingKey: key, dropped, ...told }, () =>
        [
          `statement ${number} is signed`,
          `  signing key ${key}`,
          ...(dropped === 0
            ? []
            : [`  no room for ${dropped} of the oldest: who trusts what was before is to be enrolled anew`]),
          '  next: restart the collector, then copy its keys to where you keep them',
        ].join('\n'),
      )
      return exitCodes.good
    } finally {
      await close()
    }
  },
})

export const keysCommands: readonly Command[] = [list, rotateKeys]
