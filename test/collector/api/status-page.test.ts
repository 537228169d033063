import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { html } from '../../../collector/api/html.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { finding, NOW, storedDevice } from '../store/samples.ts'
import { useApi } from './support.ts'

describe('the status page', () => {
  const api = useApi()
  const page = async (over: { headers?: Record<string, string>; remoteAddress?: string } = {}) =>
    api().app.inject({ method: 'GET', url: '/status', headers: { host: 'localhost:8080' }, ...over })

  it('says how to begin while there is no device', async () => {
    const { statusCode, body, headers } = await page()
    expect(statusCode).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(body).toContain('keepseal token create')
    expect(body).toContain('http-equiv="refresh"')
  })

  it('shows devices with each axis, and when the newest attestation came', async () => {
    const { store } = api()
    const device = await storedDevice(store)
    await store.devices.saveState(device.id, { ...initialDeviceState, verdict: 'affirming', lastFreshAt: NOW })
    await store.findings.insert(finding(device.id))
    const { body } = await page()
    for (const text of [device.ueid, 'affirming', 'fresh', 'tpm-tofu', 'tcp/0.0.0.0:4444', '2026-05-01 00:00:00 UTC']) {
      expect(body).toContain(text)
    }
  })

  it('escapes what devices say of themselves', async () => {
    const { store } = api()
    const device = await storedDevice(store, 'one', undefined, {
      serial: '<script>alert(1)</script>',
      model: '"><img src=x>',
    })
    await store.findings.insert(finding(device.id, { subject: "tcp/<b>'&" }))
    const { body } = await page()
    expect(body).not.toMatch(/<script|<img|<b>/)
    expect(body).toContain('&lt;script&gt;')
    expect(body).toContain('tcp/&lt;b&gt;&#39;&amp;')
  })

  it('may do nothing but show itself with its one style sheet', async () => {
    const { body, headers } = await page()
    const policy = String(headers['content-security-policy'])
    const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? ''
    expect(style).not.toBe('')
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|script-src|https?:/)
    expect(body).not.toMatch(/<script|style=|onload|javascript:/)
  })

  it.each([
    ['from another machine', { remoteAddress: '192.0.2.7' }],
    ['under a name that leads here from elsewhere', { headers: { host: 'rebound.example' } }],
    ['through a proxy', { headers: { host: 'localhost', 'x-forwarded-for': '192.0.2.7' } }],
  ])('is not shown %s', async (_, over) => {
    const { statusCode, body } = await page(over)
    expect(statusCode).toBe(403)
    expect(body).not.toContain('<html')
  })
})

describe('the status page for everybody', () => {
  const api = useApi({ statusPage: 'everybody' })
  it('is shown to everybody', async () => {
    const { statusCode } = await api().app.inject({ method: 'GET', url: '/status', remoteAddress: '192.0.2.7' })
    expect(statusCode).toBe(200)
  })
})

describe('the html tag', () => {
  it('escapes every text and no Html', () => {
    const inner = html`<i>${'<&>"\''}</i>`
    expect(html`<p title="${'"'}">${inner}${[inner, inner]}${7}</p>`.toString()).toBe(
      `<p title="&quot;">${'<i>&lt;&amp;&gt;&quot;&#39;</i>'.repeat(3)}7</p>`,
    )
  })
})
