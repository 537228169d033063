import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idevidCertificate } from './software-idevid.ts'
import type { CertificateFields } from './test-certificates.ts'
import { tpm2 } from './tpm2-tools.ts'

export interface ManufacturedIdevid {
  /** DER. */
  readonly certificate: Uint8Array
}

export interface Manufacture {
  /** As tpm2_createprimary has them: `ecc:ecdsa-sha256`, `rsa2048`. */
  readonly algorithm: string
  readonly handle: string
  readonly attributes?: string
  readonly password?: string
  /** NV index of the certificate, and the attributes that it is read with. */
  readonly nvIndex?: string
  readonly nvAttributes?: string
  readonly changes?: Partial<CertificateFields>
}

const SIGNING_KEY = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'

/**
 * What a production line does with tpm2-tools: a signing key at a persistent handle, and a certificate for it, in NV on
 * request. Nobody else may have the TPM open meanwhile.
 */
export async function manufactureIdevid(tcti: string, wanted: Manufacture): Promise<ManufacturedIdevid> {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-idevid-'))
  const file = (name: string): string => join(directory, name)
  try {
    const attributes = wanted.attributes ?? SIGNING_KEY
    const password = wanted.password === undefined ? [] : ['-p', wanted.password]
    const made = [
      '-C',
      'e',
      '-G',
      wanted.algorithm,
      '-g',
      'sha256',
      '-a',
      attributes,
      '-c',
      file('key.ctx'),
      ...password,
    ]
    await tpm2(tcti, 'createprimary', ...made)
    await tpm2(tcti, 'evictcontrol', '-C', 'o', '-c', file('key.ctx'), wanted.handle)
    await tpm2(tcti, 'flushcontext', '-t')
    await tpm2(tcti, 'readpublic', '-c', wanted.handle, '-f', 'der', '-o', file('key.der'))
    const certificate = idevidCertificate(new Uint8Array(readFileSync(file('key.der'))), wanted.changes)
    if (wanted.nvIndex !== undefined) {
      const nvAttributes = wanted.nvAttributes ?? 'ownerwrite|ownerread|authread'
      writeFileSync(file('certificate.der'), certificate)
      // Larger than what is in it, as an index that is made before the certificate is.
      const size = String(certificate.length + 20)
      await tpm2(tcti, 'nvdefine', wanted.nvIndex, '-C', 'o', '-s', size, '-a', nvAttributes)
      await tpm2(tcti, 'nvwrite', wanted.nvIndex, '-C', 'o', '-i', file('certificate.der'))
    }
    return { certificate }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
