import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { keysAfter } from '../../../shared/evidence/key-history.ts'
import { collectorKeyOf } from '../../../collector/trust/succession.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { openReport } from '../../../collector/report/signed.ts'
import { randomBytes } from 'node:crypto'
import { certify } from '../../support/decision-log.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { testKeys, useApi } from '../api/support.ts'
import { NOW, storedProduct } from '../store/samples.ts'

const MARKUP = 'Gate "7" <script>alert(1)</script> & \'co\''
const keys = testKeys()
const key = keysAfter(keys.publicKey.x, [], collectorKeyOf)

describe('reports over the API', () => {
  const api = useApi({ keys })

  async function certified(model = MARKUP) {
    const product = await storedProduct(api().store, { model })
    await certify(api().store, `Acme/${model}`, NOW / 1000)
    return product
  }
  const get = (path: string) => api().call('auditor', 'GET', `/api/v1/reports/${path}`)

  it('show a name with markup as text, on a page without a script', async () => {
    await certified()
    for (const kind of ['surveillance', 'gap', 'roadmap', 'standards']) {
      const { status, raw, headers } = await get(`${kind}/page?certificateId=crt_1`)
      const text = raw.toString('utf8')
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(text).not.toContain('<script')
      expect(text).toContain('Gate &quot;7&quot; &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;co&#39;')
      // Certificate and profile are never there without each other.
      for (const mark of ['KS-2026-001', 'pro_gateway']) expect(text).toContain(mark)
    }
  })

  it('allow nothing but the style that they bring, by header and in the page itself', async () => {
    await certified()
    const { raw, headers } = await get('surveillance/page?certificateId=crt_1')
    const text = raw.toString('utf8')
    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? ''
    const source = `'sha256-${createHash('sha256').update(style).digest('base64')}'`
    const inPage = /Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1]?.replaceAll('&#39;', "'")
    expect(inPage).toContain("default-src 'none'")
    expect(inPage).toContain(source)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).toContain(source)
    expect(text).not.toMatch(/ (?:on\w+|src|href|style)=/)
  })

  it('are signed by the collector, and say the same as JSON', async () => {
    await certified()
    const { body } = await get('surveillance?certificateId=crt_1')
    const { raw } = await get('surveillance/signed?certificateId=crt_1')
    const opened = openReport(new Uint8Array(raw), key)
    expect(opened).toEqual({ report: body['report'], digest: body['digest'] })
    expect(body['keyId']).toBe(toHex(keys.signer.keyId))
    const forged = new Uint8Array(raw)
    forged[100] = (forged[100] ?? 0) ^ 1
    expect(await outcomeOf(() => openReport(forged, key))).toMatch(/^(cose|cbor)\./)
    const another = keysAfter(randomBytes(32), [], (x) => ({ ...collectorKeyOf(x), thumbprint: keys.signer.keyId }))
    expect(await outcomeOf(() => openReport(new Uint8Array(raw), another))).toBe('cose.signature-invalid')
    const stranger = keysAfter(randomBytes(32), [], collectorKeyOf)
    expect(await outcomeOf(() => openReport(new Uint8Array(raw), stranger))).toBe('cose.key-id-mismatch')
  })

  it('are of one thing, and of a period that has been', async () => {
    const { id } = await certified()
    const asked = (query: string) => get(`gap?${query}`).then(({ status, body }) => [status, body['type']])
    expect(await asked('')).toEqual([400, 'request.invalid'])
    expect(await asked(`certificateId=crt_1&productId=${id}`)).toEqual([400, 'request.invalid'])
    expect(await asked('certificateId=crt_1&to=2099-01-01T00:00:00Z')).toEqual([400, 'request.invalid'])
    expect(await asked('certificateId=crt_1&from=2026-05-01T00:00:00Z&to=2026-04-01T00:00:00Z')).toEqual([
      400,
      'request.invalid',
    ])
    expect(await asked('certificateId=crt_1&from=1970-01-01T00:00:00Z')).toEqual([400, 'request.invalid'])
    expect(await asked('certificateId=crt_9')).toEqual([404, 'request.not-found'])
    expect((await get('daily?certificateId=crt_1')).status).toBe(400)
  })

  it('are for a vendor about his own products alone', async () => {
    const { id } = await certified()
    const ask = async (vendor: string, path: string) => {
      const over = { name: vendor, role: 'vendor', scope: { vendor, products: null }, expiresAt: null } as const
      const { text } = await createApiToken(api().store, over, { now: NOW, random: randomBytes })
      const headers = { authorization: `Bearer ${text}` }
      return (await api().app.inject({ method: 'GET', url: `/api/v1/reports/${path}`, headers })).statusCode
    }
    for (const form of ['', '/signed', '/page']) {
      for (const query of ['certificateId=crt_1', `productId=${id}`]) {
        expect(await ask('Acme', `surveillance${form}?${query}`)).toBe(200)
        expect(await ask('Rival', `surveillance${form}?${query}`)).toBe(404)
      }
    }
  })
})
