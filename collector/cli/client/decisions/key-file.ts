import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fromBase64Url } from '../../../../shared/bytes/bytes.ts'
import { COSE_ALGORITHM } from '../../../../shared/cose/algorithms.ts'
import { coseKeyThumbprint, type CoseKey } from '../../../../shared/cose/key.ts'
import type { Signer } from '../../../../shared/cose/sign1.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'

/** The key of a person: it never leaves this machine, and what it has signed the person has decided. */
export interface PersonKey {
  readonly signer: Signer
  readonly publicKey: CoseKey
  readonly file: string
}

type Environment = Readonly<Record<string, string | undefined>>

export function keyPath(chosen: string | undefined, environment: Environment): string {
  if (chosen !== undefined) return chosen
  const home = environment['XDG_CONFIG_HOME']
  return join(home === undefined || home === '' ? join(homedir(), '.config') : home, 'keepseal', 'key.pem')
}

/** Makes a key with mode 0600. Throws `file.unreadable`, and never overwrites one. */
export function createKey(file: string): PersonKey {
  if (existsSync(file)) {
    const remedy = 'keepseal key show shows it. Choose another place with --key FILE for a second one.'
    throw new KeepsealError('file.unreadable', `${file} exists`, { remedy })
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${file} cannot be written`, { cause })
  }
  return personKey(file, privateKey)
}

/** Throws `file.unreadable`, or `state.insecure-permissions` for a key that others can read. */
export function readKey(file: string): PersonKey {
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw new KeepsealError('state.insecure-permissions', file)
    return personKey(file, createPrivateKey(readFileSync(file)))
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    const remedy = 'keepseal key create makes one.'
    throw new KeepsealError('file.unreadable', `${file} holds no key`, { cause, remedy })
  }
}

function personKey(file: string, key: KeyObject): PersonKey {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  if (key.asymmetricKeyType !== 'ed25519' || x === undefined) throw new Error('not an Ed25519 key')
  const publicKey: CoseKey = { curve: 'Ed25519', x: fromBase64Url(x) }
  const keyId = coseKeyThumbprint(publicKey, hash)
  return {
    file,
    publicKey,
    signer: { algorithm: COSE_ALGORITHM.Ed25519, keyId, sign: (message) => sign(null, message, key) },
  }
}
