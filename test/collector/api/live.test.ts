import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { IDLE_MS } from '../../../collector/access/sessions.ts'
import type { ApiRole } from '../../../collector/model/product.ts'
import { NOW, storedDevice } from '../store/samples.ts'
import { usePeople } from './people.ts'
import { useApi } from './support.ts'

/** An open stream, and what it has said. */
interface Listening {
  readonly status: number
  readonly text: () => string
  /** Resolves when the other side has ended it. */
  readonly ended: Promise<void>
  readonly leave: () => void
}

const LIMITS = { lookMs: 20, lifeMs: 60_000, streams: 6, ofOne: 3 }

describe('the stream of changes', () => {
  const api = useApi({ liveLimits: LIMITS, requestsPerMinute: 10_000 })
  const shortLived = useApi({ liveLimits: { ...LIMITS, lifeMs: 150 }, requestsPerMinute: 10_000 })
  const people = usePeople(api)
  const open: Listening[] = []
  afterEach(() => {
    for (const each of open.splice(0)) each.leave()
  })

  async function listen(headers: Record<string, string>, of = api): Promise<Listening> {
    const { app } = of()
    if (app.server.address() === null) await app.listen({ port: 0, host: '127.0.0.1' })
    const abort = new AbortController()
    const { port } = app.server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/live`, { headers, signal: abort.signal })
    let text = ''
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
    }
    const ended = read().catch(() => undefined)
    const listening = { status: response.status, text: () => text, ended, leave: () => abort.abort() }
    open.push(listening)
    return listening
  }
  const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` })
  const tokenOf = async (vendor: string | null, role: ApiRole = 'operator'): Promise<string> => {
    const scope = vendor === null ? null : { vendor, products: null }
    const made = await createApiToken(
      api().store,
      { name: 'Eve', role, scope, expiresAt: null },
      { now: NOW, random: randomBytes },
    )
    return made.text
  }
  const changed = (deviceId: number): Promise<void> =>
    api().store.transitions.append([{ deviceId, at: NOW, axis: 'verdict', from: null, to: 'warning', cause: null }])

  it('is for those who read, and for nobody without a login', async () => {
    for (const role of ['vendor', 'operator', 'certifier', 'auditor'] as const) {
      expect((await listen(bearer(api().tokens[role]))).status).toBe(200)
    }
    expect((await listen({})).status).toBe(401)
    expect((await listen(bearer(`ksa_${'A'.repeat(43)}`))).status).toBe(401)
  })

  it('says which devices have changed, and not how', async () => {
    const { store, tokens } = api()
    const device = await storedDevice(store)
    const stream = await listen(bearer(tokens.auditor))
    await vi.waitFor(() => expect(stream.text()).toContain('event: ready'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await changed(device.id)
    await vi.waitFor(() => expect(stream.text()).toContain(device.ueid))
    expect(stream.text()).not.toMatch(/warning|verdict|Acme/)
  })

  it('tells whoever is bound to a vendor of his own devices and of no others', async () => {
    const { store } = api()
    const device = await storedDevice(store)
    const own = await listen(bearer(await tokenOf('Acme')))
    const other = await listen(bearer(await tokenOf('Rival')))
    const all = await listen(bearer(await tokenOf(null)))
    await vi.waitFor(() => expect(all.text()).toContain('event: ready'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await changed(device.id)
    await vi.waitFor(() => expect(own.text() + all.text()).toMatch(new RegExp(`${device.ueid}.*${device.ueid}`, 's')))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(other.text()).not.toContain('event: devices')
  })

  it('has no more streams of one person, and of all together, than is agreed; one that is closed makes room', async () => {
    const { tokens } = api()
    const one = bearer(tokens.operator)
    const first = await listen(one)
    for (let each = 1; each < LIMITS.ofOne; each++) expect((await listen(one)).status).toBe(200)
    expect((await listen(one)).status).toBe(429)
    for (let each = 0; each < LIMITS.ofOne; each++) expect((await listen(bearer(tokens.auditor))).status).toBe(200)
    expect((await listen(bearer(tokens.certifier))).status).toBe(429)
    first.leave()
    await vi.waitFor(async () => expect((await listen(bearer(tokens.certifier))).status).toBe(200))
  })

  it('ends after its life, so that whoever may not any more is told nothing for long', async () => {
    const { tokens } = shortLived()
    const stream = await listen(bearer(tokens.operator), shortLived)
    await stream.ended
    expect(stream.text()).toContain('event: ready')
    await vi.waitFor(async () => {
      const next = await listen(bearer(tokens.operator), shortLived)
      expect(next.status).toBe(200)
      next.leave()
    })
  })

  it('ends with the collector', async () => {
    const stream = await listen(bearer(api().tokens.operator))
    await api().app.close()
    await stream.ended
    expect(stream.status).toBe(200)
  })

  it('keeps no session from going idle, however often it is opened again, nor does what a page asks by itself', async () => {
    const { cookie } = (await people.loggedIn()).held
    const { clock } = api()
    const began = clock.now
    const ask = (headers: Record<string, string>) => people.send('GET', '/fleet', undefined, { cookie, ...headers })
    for (clock.now += 60_000; clock.now < began + IDLE_MS; clock.now += 5 * 60_000) {
      const stream = await listen({ cookie })
      expect(stream.status).toBe(200)
      stream.leave()
      expect((await ask({ 'x-keepseal-background': '1' })).status).toBe(200)
    }
    clock.now = began + IDLE_MS
    expect((await listen({ cookie })).status).toBe(401)
  })

  it('leaves a session be that a person uses', async () => {
    const { cookie } = (await people.loggedIn()).held
    const { clock } = api()
    clock.now += IDLE_MS - 60_000
    expect((await people.send('GET', '/fleet', undefined, { cookie })).status).toBe(200)
    clock.now += IDLE_MS - 60_000
    expect((await listen({ cookie })).status).toBe(200)
  })
})
