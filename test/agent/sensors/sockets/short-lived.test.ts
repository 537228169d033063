import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { SocketSampler } from '../../../../agent/sensors/sockets/sampler.ts'
import { ShortLived } from '../../../../agent/sensors/sockets/short-lived.ts'
import { MAX_STATE_TEXT } from '../../../../shared/evidence/state.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { socketTable } from '../../../support/proc-net.ts'

const places = (...names: string[]): ReadonlySet<string> => new Set(names)
const COUNT = 'sockets.short-lived'

describe('what came and went', () => {
  test('is what was seen between two measurements and in neither', () => {
    const counted = new ShortLived()
    counted.measured(places('old', 'ending'))
    counted.sample(places('old', 'ending', 'brief', 'new'))
    counted.sample(places('old', 'new', 'brief'))
    expect(counted.measured(places('old', 'new'))).toEqual({
      'sockets.samples': 2,
      [COUNT]: 1,
      'sockets.short-lived-places': 'brief',
    })
  })

  test('is not known before the first measurement', () => {
    const counted = new ShortLived()
    counted.sample(places('before'))
    expect(counted.measured(places())).toEqual({ 'sockets.samples': 0, [COUNT]: 0 })
  })

  test('is told until it is in a report', () => {
    const counted = new ShortLived()
    counted.measured(places())
    counted.sample(places('brief'))
    expect(counted.measured(places())).toMatchObject({ 'sockets.samples': 1, [COUNT]: 1 })
    expect(counted.measured(places())).toMatchObject({ 'sockets.samples': 1, [COUNT]: 1 })
    counted.sample(places('other'))
    counted.reported()
    expect(counted.measured(places())).toMatchObject({
      'sockets.samples': 1,
      [COUNT]: 1,
      'sockets.short-lived-places': 'other',
    })
  })

  test('is bounded, however many there are', () => {
    const counted = new ShortLived()
    counted.measured(places())
    counted.sample(new Set(Array.from({ length: 60_000 }, (_, index) => `tcp/any:${index}`)))
    const state = counted.measured(places())
    expect(state).toMatchObject({ [COUNT]: 1024 })
    expect(String(state['sockets.short-lived-places'])).toMatch(/ tcp\/any:\d+ \.\.\.$/)
    expect(String(state['sockets.short-lived-places']).length).toBeLessThanOrEqual(MAX_STATE_TEXT)
  })

  test('agrees with the definition for every sequence', () => {
    const set = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))
    fc.assert(
      fc.property(set, fc.array(set), set, (before, samples, after) => {
        const counted = new ShortLived()
        counted.measured(new Set(before))
        for (const sample of samples) counted.sample(new Set(sample))
        const brief = new Set(samples.flat().filter((one) => !before.includes(one) && !after.includes(one)))
        expect(counted.measured(new Set(after))).toMatchObject({
          [COUNT]: brief.size,
          'sockets.samples': samples.length,
        })
      }),
    )
  })
})

describe('looks at the tables', () => {
  const tree = (port: string, udp: string): Tree => ({
    '/proc/net/tcp': socketTable([{ local: `00000000:${port}`, state: '0A' }]),
    '/proc/net/udp': socketTable([{ local: `0100007F:${udp}`, state: '07' }]),
    '/proc/sys/net/ipv4/ip_local_port_range': '32768 60999\n',
  })
  /** One host that shows another system with each look. */
  function changing(...trees: Tree[]): Host {
    const hosts = trees.map((one) => treeHost(one))
    let at = -1
    return {
      ...(hosts[0] as Host),
      readFile(path, max) {
        if (path === '/proc/net/tcp') at += 1
        return (hosts[at] as Host).readFile(path, max)
      },
    }
  }

  test('and names what listened by protocol, scope and port, without what clients use', () => {
    const sampler = new SocketSampler(changing(tree('0016', '0035'), tree('115C', '9C40'), tree('0016', '0035')), 60)
    sampler.measured()
    sampler.look()
    expect(sampler.measured()).toEqual({
      'sockets.samples': 1,
      'sockets.sample-seconds': 60,
      [COUNT]: 1,
      'sockets.short-lived-places': 'tcp/any:4444',
    })
  })

  test('that may not be read count as none', () => {
    const host = treeHost(tree('0016', '0035'))
    const sampler = new SocketSampler(withoutPermission(host, '/proc/net'), 60)
    sampler.look()
    expect(sampler.measured()).toEqual({ 'sockets.samples': 0 })
    expect(new SocketSampler(treeHost({}), 60).measured()).toEqual({ 'sockets.samples': 0 })
  })

  test('that are switched off count as none, and start no timer', () => {
    const sampler = new SocketSampler(treeHost(tree('0016', '0035')), 0)
    sampler.start()()
    expect(sampler.measured()).toEqual({ 'sockets.samples': 0 })
  })

  /** Each look costs that much. */
  const costing = (milliseconds: number, now: () => number): Host => {
    let cpu = 0
    return { ...treeHost(tree('0016', '0035'), { now }), cpuMs: () => (cpu += milliseconds) }
  }

  test('that take long are followed by a pause, which a clock that is set back ends', () => {
    let now = 1000
    const sampler = new SocketSampler(
      costing(50, () => now),
      60,
    )
    sampler.measured()
    now += 199
    sampler.look()
    expect(sampler.measured()).toMatchObject({ 'sockets.samples': 0, [COUNT]: 0 })
    now += 200
    sampler.look()
    expect(sampler.measured()).toMatchObject({ 'sockets.samples': 1 })
    now -= 500
    sampler.look()
    expect(sampler.measured()).toMatchObject({ 'sockets.samples': 2 })
  })

  test('that take seconds are not made by measurements either for a while', () => {
    let now = 1000
    const sampler = new SocketSampler(
      costing(5000, () => now),
      60,
    )
    sampler.measured()
    now += 300
    expect(sampler.measured()).toEqual({ 'sockets.samples': 0 })
    now += 700
    expect(sampler.measured()).toMatchObject({ [COUNT]: 0 })
  })

  test('run by their own timer until they are stopped', async () => {
    const sampler = new SocketSampler(
      costing(0, () => 1000),
      1,
    )
    sampler.measured()
    const stop = sampler.start()
    await expect.poll(() => sampler.measured()['sockets.samples'], { timeout: 10_000 }).toBeGreaterThan(0)
    stop()
  })
})
