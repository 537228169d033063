import { defineCommand, type Command } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import type { Setting } from '../../shared/config/settings.ts'
import { serverUrl } from '../../shared/config/url-types.ts'
import { text } from '../../shared/config/value-types.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { printable } from '../../shared/text/printable.ts'
import { loadAgentConfig } from '../config/load.ts'
import { enrol } from '../enrol/enrol.ts'
import { checkedToken, enrolmentOf, tctiOf, tokenIn } from '../enrol/inputs.ts'
import { ensurePrivateDirectory } from '../state/files.ts'
import { lockState } from '../state/lock.ts'
import { describeTcti } from '../tpm/tcti.ts'

/** Flags that stand for one configuration option each. */
const SETTINGS = {
  collector: ['collector', 'url'],
  caFile: ['collector', 'ca_file'],
  productVendor: ['product', 'vendor'],
  productModel: ['product', 'model'],
  productHardwareRevision: ['product', 'hardware_revision'],
  productSerial: ['product', 'serial'],
} as const

function settingsOf(options: Readonly<Partial<Record<keyof typeof SETTINGS, string | undefined>>>): Setting[] {
  return Object.entries(SETTINGS).flatMap(([flag, name]) => {
    const value = options[flag as keyof typeof SETTINGS]
    const shown = `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return value === undefined ? [] : [{ name, value, source: { kind: 'flag', flag: shown } } as const]
  })
}

const productFlag = (description: string) => ({ description, value: text(64), placeholder: 'TEXT' }) as const

/** `keepseal-agent enroll`. */
export const enrollCommand: Command = defineCommand({
  name: 'enroll',
  summary: 'Enrol this machine with a collector.',
  description: [
    'Makes this device its keys, proves its TPM to the collector, and keeps the identity that it is given.',
    'The token can be used once. If the enrolment is interrupted, give the same command again.',
    'Without --ca-file the collector is checked with the certificate authorities of this system.',
  ],
  examples: [
    'keepseal-agent enroll --collector https://collector.example:8443 --token-file /run/token --ca-file /etc/keepseal/collector-ca.pem',
  ],
  options: {
    collector: {
      description: 'Collector to enrol with.',
      value: serverUrl({ schemes: ['https:'] }),
      placeholder: 'URL',
    },
    'token-file': {
      description: 'File with the one-time token, which nobody else may read.',
      value: text(4096),
      placeholder: 'FILE',
    },
    token: {
      description: 'The token itself. Other users can see it while the command runs.',
      value: text(256),
      placeholder: 'TOKEN',
    },
    'without-token': {
      description: 'Enrol by the TPM alone, whose endorsement key or IDevID the collector knows beforehand.',
    },
    'ca-file': {
      description: 'Certificate authority of the collector, in PEM.',
      value: text(4096),
      placeholder: 'FILE',
    },
    'product-vendor': productFlag('Vendor of this gateway.'),
    'product-model': productFlag('Model of this gateway.'),
    'product-hardware-revision': productFlag('Hardware revision of this gateway.'),
    'product-serial': productFlag('Serial number of this unit.'),
    again: { description: 'Replace the identity that this machine has. Takes a token made for that.' },
    ...configOptions,
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const flags = { config: options.config, set: options.set, settings: settingsOf(options) }
    const { values } = loadAgentConfig(flags, terminal.env)
    const token = await readToken(options.token, options.tokenFile, options.withoutToken)
    const { directory } = values.state
    await ensurePrivateDirectory(directory)
    const lock = await lockState(directory)
    try {
      const inputs = await enrolmentOf(values, token, options.again)
      const tcti = tctiOf(values)
      terminal.error(tcti === undefined ? 'no TPM: a software identity\n' : `TPM: ${describeTcti(tcti)}\n`)
      const { ueid, assurance, collector } = await enrol(inputs)
      const result = {
        ueid,
        identity: assurance,
        collector: collector.url,
        collectorId: toHex(collector.id),
        mqttUrl: collector.mqttUrl,
      }
      present(result, () =>
        [
          `enrolled as ${ueid}`,
          `  identity   ${assurance}`,
          `  collector  ${printable(collector.url)}`,
          `  reports to ${printable(collector.mqttUrl)}`,
          '  next: systemctl start keepseal-agent',
        ].join('\n'),
      )
      return exitCodes.good
    } finally {
      await lock.release()
    }
  },
})

/** The token is told nowhere, whatever is wrong with it. */
async function readToken(
  argument: string | undefined,
  file: string | undefined,
  without: boolean,
): Promise<string | null> {
  if ([argument !== undefined, file !== undefined, without].filter(Boolean).length !== 1) {
    throw new KeepsealError('usage.invalid', 'give one of --token-file, --token and --without-token', {
      remedy: 'keepseal-agent enroll --help',
    })
  }
  if (without) return null
  return argument === undefined ? tokenIn(file ?? '') : checkedToken(argument)
}
