import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { SuccessionKeeper } from '../../../agent/succession/keeper.ts'
import { saveRenewal } from '../../../agent/state/change-identity.ts'
import { loadIdentity, saveIdentity, type Identity } from '../../../agent/state/identity.ts'
import { statePaths } from '../../../agent/state/paths.ts'
import { FALLBACK_SECONDS } from '../../../agent/state/trust.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { encodeSuccession, signSuccessor, type Successor } from '../../../shared/evidence/succession.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { identityMaterial, UEID } from '../state/identity-sample.ts'

const scratch = useScratchDirectories('succession')
const NOW = 1_795_100_000
const [first, second, third] = [1, 2, 3].map((seed) => ed25519Signer(new Uint8Array(32).fill(seed)))
const derOf = (pem: string): Uint8Array => new Uint8Array(new X509Certificate(pem).raw)
const { collector, tls } = identityMaterial()
const next = createPki()

type Key = typeof first & object
const statement = (number: number, by: Key, to: Key, over: Partial<Successor> = {}): Promise<Uint8Array> =>
  signSuccessor(
    {
      collectorId: collector.id,
      number,
      at: NOW,
      key: to.x,
      authorities: [derOf(tls.certificateAuthority)],
      mqttUrl: collector.mqttUrl,
      collectorUrl: collector.url,
      ...over,
    },
    by.signer,
  )

let directory: string
let told: string[]
let followed: [key: string, moved: boolean][]
let asked: number
let answer: () => Uint8Array | null
let clock: number
let monotonic: number
let keeper: SuccessionKeeper

async function begin(): Promise<void> {
  const identity = await loadIdentity(directory)
  keeper = new SuccessionKeeper({
    identity,
    stateDirectory: directory,
    ask: async () => {
      asked++
      return answer()
    },
    followed: (now, moved) => followed.push([keyOf(now), moved]),
    log: { error: () => undefined, warn: (text) => told.push(text), info: () => undefined, debug: () => undefined },
    now: () => clock * 1000,
    monotonic: () => monotonic,
  })
}
const keyOf = ({ collector: { key } }: Identity): string => toHex(key.thumbprint)
const idOf = ({ signer }: Key): string => toHex(signer.keyId)

beforeEach(async () => {
  directory = scratch()
  told = []
  followed = []
  asked = 0
  answer = () => null
  clock = NOW
  monotonic = 0
  await saveIdentity(directory, identityMaterial())
  await begin()
})

const [a, b, c] = [first, second, third] as [Key, Key, Key]

describe('an agent that is told of another key', () => {
  it('trusts it from then on, over restarts, and never goes back', async () => {
    const [one, two] = [await statement(1, a, b), await statement(2, b, c)]
    expect(await keeper.offer(encodeSuccession([one]))).toBe(true)
    expect(followed).toEqual([[idOf(b), false]])
    await begin()
    expect(keyOf(keeper.identity)).toBe(idOf(b))
    expect(await keeper.offer(encodeSuccession([one]))).toBe(false)
    expect(await keeper.offer(encodeSuccession([one, two]))).toBe(true)
    expect(await keeper.offer(encodeSuccession([one]))).toBe(false)
    await begin()
    expect(keeper.identity.trust).toMatchObject({ number: 2, fallback: null })
    expect(keeper.identity.trust.formerKeys.map(({ x }) => toHex(x))).toEqual([a, b].map(({ x }) => toHex(x)))
    expect(told).toEqual([])
  })

  it('follows over several that it has missed at once', async () => {
    const chain = encodeSuccession([await statement(1, a, b), await statement(2, b, c)])
    expect(await keeper.offer(chain)).toBe(true)
    expect(followed).toEqual([[idOf(c), false]])
  })

  it('keeps its own keys and a certificate that is renewed at the same time', async () => {
    const renewed = createPki().device(UEID)
    const chain = encodeSuccession([await statement(1, a, b)])
    const authority = tls.certificateAuthority
    await Promise.all([
      keeper.offer(chain),
      saveRenewal(directory, {
        ueid: UEID,
        mqttUrl: 'mqtts://elsewhere.example:8883',
        tls: { privateKey: renewed.key, certificate: renewed.cert, certificateAuthority: authority },
      }),
    ])
    const identity = await loadIdentity(directory)
    expect(keyOf(identity)).toBe(idOf(b))
    expect(identity.tls.certificate).toBe(renewed.cert)
    // Whoever renews it may have been started before the statement, and know less.
    expect(identity.collector.mqttUrl).not.toBe('mqtts://elsewhere.example:8883')
    expect(toHex(identity.receiptKey.secret)).toBe(toHex(identityMaterial().receiptSecret))
  })

  it('keeps what it trusted where that cannot be used, and says it once', async () => {
    const { cert } = createPki().device(UEID)
    for (const over of [{ authorities: [derOf(cert)] }, { mqttUrl: 'http://broker.example' }, { collectorUrl: 'x' }]) {
      const before = told.length
      const chain = encodeSuccession([await statement(1, a, b, over)])
      expect([await keeper.offer(chain), await keeper.offer(chain)]).toEqual([false, false])
      expect(told.length).toBe(before + 1)
    }
    expect(keyOf(await loadIdentity(directory))).toBe(idOf(a))
    expect(keeper.problem).toBeDefined()
  })

  it('follows nothing that it cannot keep, says so once, and follows when it can', async () => {
    const chain = encodeSuccession([await statement(1, a, b)])
    // Of another device meanwhile: as good as a disk that takes nothing, also for root.
    const { identity } = statePaths(directory)
    const file = join(identity, 'enrolment.json')
    writeFileSync(file, '{', { mode: 0o600 })
    expect([await keeper.offer(chain), await keeper.offer(chain)]).toEqual([false, false])
    expect(told).toHaveLength(1)
    expect(followed).toEqual([])
    await saveIdentity(directory, identityMaterial())
    expect(await keeper.offer(chain)).toBe(true)
    expect(keeper.problem).toBeUndefined()
  })
})

describe('an agent that is told of another broker or authority', () => {
  const moved = { mqttUrl: 'mqtts://new.example:8883', authorities: [derOf(next.authority)] }

  it('keeps the way before until the new one was reached', async () => {
    expect(await keeper.offer(encodeSuccession([await statement(1, a, a, moved)]))).toBe(true)
    expect(followed).toEqual([[idOf(a), true]])
    await begin()
    expect(keeper.identity.collector.mqttUrl).toBe(moved.mqttUrl)
    const was = { mqttUrl: collector.mqttUrl, certificateAuthority: tls.certificateAuthority, url: collector.url }
    expect(keeper.fallback).toEqual({ ...was, since: NOW })
    await keeper.reached()
    expect(keeper.fallback).toBeNull()
    expect((await loadIdentity(directory)).trust).toEqual({ number: 1, formerKeys: [], fallback: null })
  })

  it('keeps the last way that was proven over several changes', async () => {
    await keeper.offer(encodeSuccession([await statement(1, a, a, moved)]))
    await keeper.offer(
      encodeSuccession([await statement(2, a, a, { ...moved, mqttUrl: 'mqtts://newer.example:8883' })]),
    )
    expect(keeper.fallback?.mqttUrl).toBe(collector.mqttUrl)
  })

  it('needs no way before where it comes back to it', async () => {
    await keeper.offer(encodeSuccession([await statement(1, a, a, moved)]))
    expect(await keeper.offer(encodeSuccession([await statement(2, a, a)]))).toBe(true)
    expect(followed.at(-1)).toEqual([idOf(a), true])
    expect((await loadIdentity(directory)).trust).toEqual({ number: 2, formerKeys: [], fallback: null })
  })

  it('gives the way before up after a month, also when it was never proven', async () => {
    await keeper.offer(encodeSuccession([await statement(1, a, a, moved)]))
    clock += FALLBACK_SECONDS - 1
    expect(keeper.fallback).not.toBeNull()
    clock += 1
    expect(keeper.fallback).toBeNull()
  })
})

describe('an agent that doubts', () => {
  it('asks the collector, less and less often, and follows what it says', async () => {
    for (let minute = 0; minute < 60; minute++) {
      await keeper.doubt()
      monotonic += 60_000
    }
    expect(asked).toBe(6)
    const chain = encodeSuccession([await statement(1, a, b)])
    answer = () => chain
    monotonic += 6 * 3_600_000
    expect(await keeper.doubt()).toBe(true)
    expect(keyOf(keeper.identity)).toBe(idOf(b))
  })

  it('says once that there is no answer', async () => {
    answer = () => {
      throw new KeepsealError('collector.unreachable', 'collector.example')
    }
    for (let hour = 0; hour < 100; hour++) {
      expect(await keeper.doubt()).toBe(false)
      monotonic += 3_600_000
    }
    expect(told).toHaveLength(1)
    expect(keeper.problem).toBeDefined()
    await keeper.reached()
    expect(keeper.problem).toBeUndefined()
  })
})
