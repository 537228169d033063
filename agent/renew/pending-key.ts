import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { fromUtf8, utf8 } from '../../shared/bytes/bytes.ts'
import { readPrivateFile, writeDurably } from '../state/files.ts'

/**
 * The key of the renewal that is under way, PKCS #8 in PEM: the one that was begun, or a new one, which is on disk
 * before the collector hears of it. When the answer is lost, the collector expects this key and no other.
 */
export async function renewalKey(path: string): Promise<string> {
  const content = await readPrivateFile(path, 16 * 1024)
  const stored = content === undefined ? undefined : usable(content)
  if (stored !== undefined) return stored
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  await writeDurably(path, utf8(pem))
  return pem
}

/** Undefined for a damaged one: another key does as well, at the price of one more renewal. */
function usable(content: Uint8Array): string | undefined {
  try {
    const pem = fromUtf8(content)
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1' ? pem : undefined
  } catch {
    return undefined
  }
}
