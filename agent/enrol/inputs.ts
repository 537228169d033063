import { join } from 'node:path'
import * as v from 'valibot'
import { fromUtf8 } from '../../shared/bytes/bytes.ts'
import { random } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { EnrolmentTokenText } from '../../shared/evidence/enrolment.ts'
import { readEndorsementPassword } from '../config/endorsement-password.ts'
import type { AgentConfig } from '../config/options.ts'
import { readPrivateFile } from '../state/files.ts'
import { chooseTcti } from '../tpm/tcti.ts'
import { authoritiesIn, systemAuthorities } from './authorities.ts'
import { idevidPlaceOf, readCertificate } from './certificate-file.ts'
import type { Enrolment } from './enrol.ts'
import { openEnrolmentTpm } from './tpm-session.ts'

const usage = (message: string): KeepsealError =>
  new KeepsealError('usage.invalid', message, { remedy: 'keepseal-agent enroll --help' })

/** The name of the token among a service's credentials (systemd.exec(5), LoadCredential=). */
const CREDENTIAL = 'enrolment-token'

/** Throws KeepsealError `usage.invalid`. The token is told nowhere, whatever is wrong with it. */
export function checkedToken(given: string): string {
  const token = v.safeParse(EnrolmentTokenText, given)
  if (!token.success) throw usage('the enrolment token is not kse_ and 43 characters')
  return token.output
}

/** Undefined where there is no such file. Throws `file.unreadable`, `state.insecure-permissions`. */
async function tokenWhere(file: string): Promise<string | undefined> {
  const content = await readPrivateFile(file, 1024)
  if (content === undefined) return undefined
  try {
    return checkedToken(fromUtf8(content).trim())
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    throw new KeepsealError('file.unreadable', `${file} is not text`, { cause })
  }
}

export async function tokenIn(file: string): Promise<string> {
  const token = await tokenWhere(file)
  if (token === undefined) throw new KeepsealError('file.unreadable', file)
  return token
}

/**
 * The token that was laid ready for this device: in the file that is configured, or as a credential of the service.
 * Never on a command line, in the environment or from the network: others could see it there.
 */
export async function tokenLaidReady(
  { collector }: AgentConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly token: string; readonly file: string } | undefined> {
  const credentials = environment['CREDENTIALS_DIRECTORY']
  const files = [collector.tokenFile, credentials === undefined ? '' : join(credentials, CREDENTIAL)]
  for (const file of files) {
    if (file === '') continue
    const token = await tokenWhere(file)
    if (token !== undefined) return { token, file }
  }
  return undefined
}

/** Undefined for a machine without a TPM, or one whose TPM is not to be used. */
export function tctiOf({ tpm }: AgentConfig): string | undefined {
  return tpm.tcti === 'none' ? undefined : chooseTcti(tpm.tcti)
}

/** An enrolment as it is configured. Throws `usage.invalid` where the configuration says too little for one. */
export async function enrolmentOf(config: AgentConfig, token: string | null, again: boolean): Promise<Enrolment> {
  const { collector, product, state, tpm } = config
  if (collector.url === '') throw usage('give --collector URL, or set collector.url')
  const missing = Object.entries(product).find(([, value]) => value === '')
  if (missing !== undefined) {
    throw usage(`the product's ${missing[0].replace('hardwareRevision', 'hardware revision')} is not set`)
  }
  const tcti = tctiOf(config)
  if (token === null && tcti === undefined) throw usage('without a token it takes a TPM, and none is here')
  const kind = tpm.akAlgorithm === 'rsa-2048' ? ({ kind: 'rsassa-2048' } as const) : {}
  const ekCertificate =
    tpm.ekCertificateFile === '' ? {} : { ekCertificate: await readCertificate(tpm.ekCertificateFile) }
  // Beside a token it would prove nothing: no list says whose it is.
  const place = token === null ? await idevidPlaceOf(config) : undefined
  const idevid = place === undefined ? {} : { idevid: place }
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
        : (seed) =>
            openEnrolmentTpm({
              tcti,
              transport: tpm.transport,
              seed,
              selection,
              ...kind,
              ...ekCertificate,
              ...endorsementPassword,
              ...idevid,
            }),
    stateDirectory: state.directory,
    again,
    now: () => Math.floor(Date.now() / 1000),
    random,
  }
}
