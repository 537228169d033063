import { describe, expect, it } from 'vitest'
import { eventDetail } from '../../../collector/cli/client/event-detail.ts'
import { storedProduct } from '../store/samples.ts'
import { useCollector } from './support.ts'

describe('keepseal event', () => {
  const collector = useCollector()

  it('records what happened, and lists it within 80 columns', async () => {
    const { run, store } = collector()
    const { model } = await storedProduct(store)
    const words = ['advisory=CVE-2026-1234', 'severity=critical', 'exploited=true', 'fixedIn=openssl>=3.0.17-1']
    const made = await run(
      'vendor',
      'event',
      'record',
      'advisory-published',
      ...words,
      '--product',
      model,
      '--at',
      '2026-04-01',
    )
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^evt_/) })
    const listed = await run('auditor', 'event', 'list', '--product', model)
    expect(listed.code).toBe(0)
    expect(listed.stdout).toContain('2026-04-01')
    for (const line of listed.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const json = JSON.parse((await run('auditor', 'event', 'list', '--json')).stdout) as { items: unknown[] }
    expect(json.items).toMatchObject([
      { detail: { advisory: 'CVE-2026-1234', exploited: true, fixedIn: { package: 'openssl', version: '3.0.17-1' } } },
    ])
  })

  it('refuses a kind that there is not, and what a kind does not say', async () => {
    const { run, store } = collector()
    const { model } = await storedProduct(store)
    expect(await run('vendor', 'event', 'record', 'party-held', '--product', model)).toMatchObject({ code: 2 })
    const lacking = await run('vendor', 'event', 'record', 'advisory-triaged', '--product', model)
    expect(lacking).toMatchObject({ code: 1, stderr: expect.stringContaining('advisory') })
    expect(await run('auditor', 'event', 'record', 'drill-held', '--product', model)).toMatchObject({ code: 4 })
  })

  it('reads NAME=VALUE, each once', () => {
    expect(eventDetail(['fixedIn=2.4', 'minutes=30', 'visit=false', 'until=2026-12-01'])).toEqual({
      fixedIn: { release: '2.4' },
      minutes: 30,
      visit: false,
      until: '2026-12-01T00:00:00Z',
    })
    for (const words of [['advisory'], ['=x'], ['a=1', 'a=2'], ['__proto__=1']]) {
      expect(() => eventDetail(words)).toThrow(expect.objectContaining({ code: 'usage.invalid' }) as Error)
    }
  })
})
