import { describe, expect, it } from 'vitest'
import type { TlsIdentity } from '../../../agent/state/identity.ts'
import { Ways, type Way } from '../../../agent/transport/ways.ts'

const tls = { privateKey: 'k', certificate: 'c', certificateAuthority: 'a' } satisfies TlsIdentity
const current: Way = { url: 'mqtts://new.example', tls }
const former: Way = { url: 'mqtts://old.example', tls }

function attempts(ways: Ways, count: number): string[] {
  return Array.from({ length: count }, () => {
    const { url, isFormer } = ways.next()
    ways.failed(isFormer)
    return url === former.url ? 'old' : 'new'
  })
}

describe('the way to the broker', () => {
  it('is the one in force, and each fourth time the former one, while neither leads there', () => {
    const ways = new Ways(current, () => former)
    expect(attempts(ways, 9)).toEqual(['new', 'new', 'new', 'old', 'new', 'new', 'new', 'old', 'new'])
  })

  it('is the one in force alone where there is no former one, or its time is over', () => {
    let mayBeUsed = true
    const ways = new Ways(current, () => (mayBeUsed ? former : null))
    attempts(ways, 3)
    mayBeUsed = false
    expect(attempts(ways, 5)).toEqual(['new', 'new', 'new', 'new', 'new'])
    expect(attempts(new Ways(current), 5)).not.toContain('old')
  })

  it('is the new one first again after each success, by whichever way', () => {
    const ways = new Ways(current, () => former)
    attempts(ways, 3)
    expect(ways.next().isFormer).toBe(true)
    ways.succeeded()
    expect(ways.next().isFormer).toBe(false)
  })

  it('that has changed while a connection was made is not proven by it', () => {
    const ways = new Ways(former)
    const taken = ways.next()
    ways.use(current)
    expect([ways.isInForce(taken), ways.isInForce(ways.next())]).toEqual([false, true])
  })
})
