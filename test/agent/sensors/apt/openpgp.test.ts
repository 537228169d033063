import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readKeys } from '../../../../agent/sensors/apt/openpgp.ts'

/** RFC 9580 appendix A.1 (version 4) and the primary key of A.3 (version 6), with the fingerprints given there. */
const V4 = 'xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY='
const V6 = 'xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laM='
const V4_FINGERPRINT = 'C959BDBAFA32A2F89A153B678CFDE12197965A9A'
const V6_FINGERPRINT = 'CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9'

const readFingerprints = (file: Uint8Array) => readKeys(file)?.map(({ fingerprint }) => fingerprint)
const binary = (base64: string): Buffer => Buffer.from(base64, 'base64')
const armour = (base64: string, head = '\n'): Buffer =>
  Buffer.from(`-----BEGIN PGP PUBLIC KEY BLOCK-----\n${head}${base64}\n-----END PGP PUBLIC KEY BLOCK-----\n`)

describe("fingerprints of the standard's own keys", () => {
  test('binary', () => {
    expect(readFingerprints(binary(V4))).toEqual([V4_FINGERPRINT])
    expect(readFingerprints(binary(V6))).toEqual([V6_FINGERPRINT])
  })

  test('several in one file', () => {
    expect(readFingerprints(Buffer.concat([binary(V4), binary(V6)]))).toEqual([V4_FINGERPRINT, V6_FINGERPRINT])
    expect(readFingerprints(Buffer.concat([armour(V6), armour(V4)]))).toEqual([V6_FINGERPRINT, V4_FINGERPRINT])
  })

  test.each([
    ['with no header and an empty line', '\n'],
    ['with no header and no empty line', ''],
    ['with headers', 'Version: GnuPG v1\nComment: x\n\n'],
  ])('armoured %s', (_, head) => {
    expect(readFingerprints(armour(V4, head))).toEqual([V4_FINGERPRINT])
    expect(readFingerprints(armour(`${V4}\n=abcd`, head))).toEqual([V4_FINGERPRINT])
  })

  test('in each form of the packet header', () => {
    const body = binary(V4).subarray(2)
    const u16 = Buffer.from([0, body.length])
    const u32 = Buffer.from([0, 0, 0, body.length])
    for (const head of [
      [0x98, body.length],
      [0x99, ...u16],
      [0x9a, ...u32],
      [0xc6, body.length],
      [0xc6, 0xff, ...u32],
    ]) {
      expect(readFingerprints(Buffer.concat([Buffer.from(head), body]))).toEqual([V4_FINGERPRINT])
    }
  })
})

describe('a keyring that cannot be read wholly is not read at all', () => {
  test.each([
    ['cut in the middle', binary(V4).subarray(0, 30)],
    ['followed by other bytes', Buffer.concat([binary(V4), Buffer.from('x')])],
    ['a keybox', Buffer.concat([Buffer.from([0, 0, 0, 32]), Buffer.from('KBXf')])],
    ['a length that claims 4 GB', Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff, 0xff, 4])],
    ['a partial length', Buffer.from([0xc6, 0xe1, 4, 0])],
    ['an indeterminate length', Buffer.from([0x9b, 4])],
    ['a key of version 3', Buffer.from([0xc6, 2, 3, 0])],
    ['an empty key', Buffer.from([0xc6, 0])],
    ['armour without an end', armour(V4).subarray(0, 90)],
    ['armour that is not base64', armour(`${V4.slice(0, -8)}!!!!${V4.slice(-4)}`)],
    ['armour with nothing in it', armour('')],
    ['a text', Buffer.from('trust me')],
  ])('%s', (_, file) => {
    expect(readFingerprints(file)).toBeUndefined()
  })

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.boolean(), (bytes, armoured) => {
        const file = armoured ? armour(Buffer.from(bytes).toString('base64')) : bytes
        for (const fingerprint of readFingerprints(file) ?? []) expect(fingerprint).toMatch(/^[0-9A-F]{40,64}$/)
      }),
    )
  })
})

const DIRECTORIES = ['/etc/apt/trusted.gpg.d', '/usr/share/keyrings']
const keyrings = DIRECTORIES.filter((directory) => existsSync(directory)).flatMap((directory) =>
  readdirSync(directory)
    .filter((name) => /\.(?:gpg|asc)$/.test(name))
    .map((name) => join(directory, name)),
)

describe.skipIf(!existsSync('/usr/bin/gpg') || keyrings.length === 0)('the keyrings of this machine', () => {
  test('gpg finds the same primary keys, which expire when it says', () => {
    withHome((home) => {
      for (const path of keyrings) expect(readKeys(readFileSync(path)), path).toEqual(shownByGpg(home, path))
    })
  })
})

describe.skipIf(!existsSync('/usr/bin/gpg'))('keys made by gpg', () => {
  test('expire with the newest signature of the key on itself, and not with one of another key', () => {
    withHome((home) => {
      const gpg = (...words: string[]): Buffer =>
        execFileSync('gpg', ['--homedir', home, '--batch', '--yes', '--passphrase', '', ...words], {
          stdio: ['ignore', 'pipe', 'ignore'],
        })
      gpg('--faked-system-time', '20200101T000000', '--quick-gen-key', 'vendor', 'ed25519', 'sign', '2030-01-01')
      const [{ fingerprint = '' } = {}] = readKeys(gpg('--export', 'vendor')) ?? []
      gpg('--faked-system-time', '20200102T000000', '--quick-add-uid', 'vendor', 'second name')
      gpg('--faked-system-time', '20200103T000000', '--quick-add-key', fingerprint, 'ed25519', 'sign', '2021-01-01')
      gpg('--faked-system-time', '20200104T000000', '--quick-gen-key', 'other', 'ed25519', 'sign', '2022-01-01')
      const path = join(home, 'exported.gpg')
      const seen = new Set<number | undefined>()
      for (const [at, expire] of [
        ['20200105T000000', '2035-01-01'],
        ['20200106T000000', 'never'],
        ['20200107T000000', '2031-01-01'],
      ] as const) {
        gpg('--faked-system-time', at, '--quick-set-expire', fingerprint, expire)
        gpg('--faked-system-time', at, '--local-user', 'other', '--quick-sign-key', fingerprint)
        writeFileSync(path, gpg('--export'))
        const keys = readKeys(readFileSync(path))
        expect(keys).toEqual(shownByGpg(home, path))
        seen.add(keys?.find((key) => key.fingerprint === fingerprint)?.expires)
      }
      expect(seen.size).toBe(3)
      expect(seen).toContain(undefined)
    })
  })
})

function withHome(action: (home: string) => void): void {
  const home = mkdtempSync(join(tmpdir(), 'keepseal-gpg-'))
  try {
    action(home)
  } finally {
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { stdio: 'ignore' })
    rmSync(home, { recursive: true, force: true })
  }
}

/** After each `pub` record, whose seventh field is the expiration, and those of its revokers comes its fingerprint. */
function shownByGpg(home: string, path: string) {
  const listing = execFileSync('gpg', ['--homedir', home, '--show-keys', '--with-colons', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return [...listing.matchAll(/^pub:(.*)\n(?:rvk:.*\n)*fpr:{9}([0-9A-F]+):/gm)].map(([, pub = '', fingerprint]) => {
    const expires = pub.split(':')[5] ?? ''
    return { fingerprint, ...(expires === '' ? {} : { expires: Number(expires) }) }
  })
}
