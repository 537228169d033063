import { randomBytes } from 'node:crypto'
import type { ApiServices } from '../../collector/api/services.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import { encodeKeyHistory, type KeyHistory } from '../../shared/evidence/key-history.ts'
import { signSuccessor } from '../../shared/evidence/succession.ts'
import { ed25519Signer } from './node-signer.ts'

/** One key of a collector, as a test needs it. */
export interface TestKey {
  readonly signer: Signer
  readonly x: Uint8Array
  readonly keyId: string
}

function makeKey(): TestKey {
  const { signer, x } = ed25519Signer(randomBytes(32))
  return { signer, x, keyId: toHex(signer.keyId) }
}

/** A collector's keys, which change when a test says so, each time by a statement of the one before. */
export class RotatingKeys {
  readonly collectorId = randomBytes(16)
  readonly #first: TestKey
  readonly #statements: Uint8Array[] = []
  /** In force. */
  current: TestKey

  constructor() {
    this.#first = makeKey()
    this.current = this.#first
  }

  /** Names the next key. `at`: seconds since 1970. */
  async rotate(at: number): Promise<TestKey> {
    const next = makeKey()
    this.#statements.push(await this.statement(this.current, next, at))
    this.current = next
    return next
  }

  /** A statement by any key of this collector, as whoever holds it can make it. */
  statement(by: TestKey, next: TestKey, at: number, number = this.#statements.length + 1): Promise<Uint8Array> {
    const addresses = { mqttUrl: 'mqtts://broker.example:8883', collectorUrl: 'https://collector.example:8443' }
    const authorities = [randomBytes(400)]
    const { collectorId } = this
    return signSuccessor({ collectorId, number, at, key: next.x, authorities, ...addresses }, by.signer)
  }

  get history(): KeyHistory {
    return { first: this.#first.x, statements: [...this.#statements] }
  }

  get historyBytes(): Uint8Array {
    return encodeKeyHistory(this.history)
  }

  /** As the API of a collector has them: always those in force. */
  get services(): ApiServices['keys'] {
    const now = (): TestKey => this.current
    const history = (): KeyHistory => this.history
    return {
      collectorId: this.collectorId,
      get signer() {
        return now().signer
      },
      get publicKey() {
        return { curve: 'Ed25519' as const, x: now().x }
      },
      get keyHistory() {
        return history()
      },
      totpSecretOf: () => new Uint8Array(20),
    }
  }
}

/** A key that is of nobody. */
export const strangeKey = makeKey
