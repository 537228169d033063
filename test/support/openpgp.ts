import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether keys can be made and signatures be checked on this machine. */
export const hasOpenPgp = existsSync('/usr/bin/gpg') && existsSync('/usr/bin/gpgv')

/** A publisher's key that is made for a test. */
export class OpenPgpKey {
  readonly #home = mkdtempSync(join(tmpdir(), 'keepseal-gpg-'))

  constructor() {
    this.#gpg('--quick-generate-key', 'Acme PSIRT <psirt@acme.example>', 'ed25519', 'sign', 'never')
  }

  /** Armored, as publishers give them out. */
  get publicKey(): string {
    return this.#gpg('--armor', '--export').toString()
  }

  sign(content: string | Buffer): Buffer {
    const file = join(this.#home, 'content')
    writeFileSync(file, content)
    this.#gpg('--armor', '--detach-sign', '--output', `${file}.asc`, file)
    const signature = readFileSync(`${file}.asc`)
    rmSync(`${file}.asc`)
    return signature
  }

  remove(): void {
    // The agent ends when its directory is gone; told so, it ends now.
    execFileSync('/usr/bin/gpgconf', ['--homedir', this.#home, '--kill', 'all'], { stdio: 'ignore' })
    rmSync(this.#home, { recursive: true, force: true })
  }

  #gpg(...args: string[]): Buffer {
    const fixed = [
      '--homedir',
      this.#home,
      '--batch',
      '--yes',
      '--quiet',
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
    ]
    return execFileSync('/usr/bin/gpg', [...fixed, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  }
}
