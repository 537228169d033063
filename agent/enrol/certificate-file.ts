import { X509Certificate } from 'node:crypto'
import { KeepsealError } from '../../shared/errors.ts'
import type { AgentConfig } from '../config/options.ts'
import { nvIndexOf } from '../config/idevid-types.ts'
import type { IdevidPlace } from '../tpm/idevid.ts'
import { readNamed } from './authorities.ts'

/** DER of the certificate in a file in PEM or DER. Throws `file.unreadable`. */
export async function readCertificate(path: string): Promise<Uint8Array> {
  const content = await readNamed(path)
  try {
    return new Uint8Array(new X509Certificate(content).raw)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${path} is not a certificate`, { cause })
  }
}

/** Where the IDevID is that was configured; undefined for none. Throws `file.unreadable`. */
export async function idevidPlaceOf({ tpm }: AgentConfig): Promise<IdevidPlace | undefined> {
  if (tpm.idevidHandle === '') return undefined
  const certificate = nvIndexOf(tpm.idevidCertificate) ?? (await readCertificate(tpm.idevidCertificate))
  return { handle: Number(tpm.idevidHandle), certificate }
}
