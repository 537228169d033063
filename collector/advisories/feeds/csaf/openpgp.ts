import { execFile } from 'node:child_process'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KeepsealError } from '../../../../shared/errors.ts'

const run = promisify(execFile)

/** The two verifiers that distributions ship for themselves: both know keys of one file, and no others. */
const VERIFIERS = [
  {
    path: '/usr/bin/gpgv',
    args: (keys: string, signature: string, file: string) => ['--keyring', keys, signature, file],
  },
  {
    path: '/usr/bin/sqv',
    args: (keys: string, signature: string, file: string) => ['--keyring', keys, signature, file],
  },
] as const

const TIMEOUT_MS = 30_000
const MAX_KEY_BYTES = 4 * 1024 * 1024

/** Checks detached OpenPGP signatures by the keys of one file. */
export interface SignatureChecker {
  /** Error: advisory.signature-invalid. */
  check(file: string, signature: string, name: string): Promise<void>
  close(): Promise<void>
}

/** Undefined where no verifier is installed. Errors: file.unreadable. */
export async function signatureChecker(
  keyFile: string,
  verifiers: readonly (typeof VERIFIERS)[number][] = VERIFIERS,
): Promise<SignatureChecker | undefined> {
  const usable = await Promise.all(
    verifiers.map(({ path }) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  )
  const verifier = verifiers.find((_, index) => usable[index])
  if (verifier === undefined) return undefined
  const home = await mkdtemp(join(tmpdir(), 'keepseal-openpgp-'))
  const keys = join(home, 'keys.pgp')
  await writeFile(keys, await binaryKeys(keyFile), { mode: 0o600 })
  const env = { HOME: home, GNUPGHOME: home, PATH: '/usr/bin:/bin', LC_ALL: 'C' }
  return {
    async check(file, signature, name) {
      try {
        await run(verifier.path, verifier.args(keys, signature, file), {
          env,
          timeout: TIMEOUT_MS,
          maxBuffer: 1024 * 1024,
        })
      } catch (cause) {
        throw new KeepsealError('advisory.signature-invalid', name, { cause })
      }
    },
    close: () => rm(home, { recursive: true, force: true }),
  }
}

/** gpgv reads keys in their binary form alone (RFC 9580 section 6.2 is the one with the armor). */
async function binaryKeys(keyFile: string): Promise<Buffer> {
  let content: Buffer
  try {
    content = await readFile(keyFile)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', keyFile, { cause })
  }
  if (content.length > MAX_KEY_BYTES) throw new KeepsealError('file.unreadable', `${keyFile}: too large for keys`)
  const text = content.toString('latin1')
  if (!text.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) return content
  const blocks = [...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g)]
  return Buffer.concat(
    blocks.map(([, block = '']) => {
      const [, body = block] = /\r?\n\r?\n([\s\S]*)$/.exec(block) ?? []
      // The last line is a checksum of the armor, and none of the keys.
      return Buffer.from(body.replace(/^=[A-Za-z0-9+/]{4}\s*$/m, '').replace(/\s+/g, ''), 'base64')
    }),
  )
}
