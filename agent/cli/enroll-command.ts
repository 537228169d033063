import { defineCommand, type Command } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import type { Setting } from '../../shared/config/settings.ts'
import { serverUrl } from '../../shared/config/url-types.ts'
import { text } from '../../shared/config/value-types.ts'
import { fromUtf8, toHex } from '../../shared/bytes/bytes.ts'
import { random } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { EnrolmentBegin } from '../../shared/evidence/enrolment.ts'
import { printable } from '../../shared/text/printable.ts'
import * as v from 'valibot'
import { readEndorsementPassword } from '../config/endorsement-password.ts'
import { loadAgentConfig } from '../config/load.ts'
import type { AgentConfig } from '../config/options.ts'
import { authoritiesIn, systemAuthorities } from '../enrol/authorities.ts'
import { enrol, type Enrolment } from '../enrol/enrol.ts'
import { openEnrolmentTpm, readEkCertificate } from '../enrol/tpm-session.ts'
import { ensurePrivateDirectory, readPrivateFile } from '../state/files.ts'
import { lockState } from '../state/lock.ts'
import { chooseTcti, describeTcti } from '../tpm/tcti.ts'

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
    const token = await readToken(options.token, options.tokenFile)
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

const usage = (message: string): KeepsealError =>
  new KeepsealError('usage.invalid', message, { remedy: 'keepseal-agent enroll --help' })

/** The token is told nowhere, whatever is wrong with it. */
async function readToken(argument: string | undefined, file: string | undefined): Promise<string> {
  if ((argument === undefined) === (file === undefined)) throw usage('give --token-file or --token')
  const given = argument ?? (await tokenIn(file ?? ''))
  const token = v.safeParse(EnrolmentBegin.entries.token, given)
  if (!token.success) throw usage('the enrolment token is not kse_ and 43 characters')
  return token.output
}

async function tokenIn(file: string): Promise<string> {
  const content = await readPrivateFile(file, 1024)
  if (content === undefined) throw new KeepsealError('file.unreadable', file)
  try {
    return fromUtf8(content).trim()
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${file} is not text`, { cause })
  }
}

/** Undefined for a machine without a TPM, or one whose TPM is not to be used. */
function tctiOf({ tpm }: AgentConfig): string | undefined {
  return tpm.tcti === 'none' ? undefined : chooseTcti(tpm.tcti)
}

async function enrolmentOf(config: AgentConfig, token: string, again: boolean): Promise<Enrolment> {
  const { collector, product, state, tpm } = config
  if (collector.url === '') throw usage('give --collector URL, or set collector.url')
  const missing = Object.entries(product).find(([, value]) => value === '')
  if (missing !== undefined) {
    throw usage(`the product's ${missing[0].replace('hardwareRevision', 'hardware revision')} is not set`)
  }
  const tcti = tctiOf(config)
  const kind = tpm.akAlgorithm === 'rsa-2048' ? ({ kind: 'rsassa-2048' } as const) : {}
  const ekCertificate =
    tpm.ekCertificateFile === '' ? {} : { ekCertificate: await readEkCertificate(tpm.ekCertificateFile) }
  const password = await readEndorsementPassword(tpm.endorsementAuthFile)
  const endorsementPassword = password === undefined ? {} : { endorsementPassword: password }
  const selection = [{ bank: tpm.bank, pcrs: tpm.pcrs }]
  return {
    collectorUrl: collector.url,
    authorities: collector.caFile === '' ? await systemAuthorities() : await authoritiesIn(collector.caFile),
    token,
    product,
    openTpm:
      tcti === undefined
        ? null
        : (seed) => openEnrolmentTpm({ tcti, seed, selection, ...kind, ...ekCertificate, ...endorsementPassword }),
    stateDirectory: state.directory,
    again,
    now: () => Math.floor(Date.now() / 1000),
    random,
  }
}
