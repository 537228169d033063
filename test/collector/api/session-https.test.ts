import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAccount } from '../../../collector/access/accounts.ts'
import { totpStep, hotp } from '../../../collector/access/totp.ts'
import { buildApi } from '../../../collector/api/app.ts'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { publishedFacts } from '../../../collector/decisions/published-facts.ts'
import { openStore } from '../../../collector/store/index.ts'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { createCertificateAuthority } from '../../../collector/trust/certificate-authority.ts'
import { ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { hmac } from '../../../shared/crypto/node.ts'
import { testKeys } from './support.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Record<string, unknown>
}

describe('a person over HTTPS', () => {
  it('sets an account up, logs in, changes something and logs out', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-session-'))
    const { store, close } = await openStore({ path: join(directory, 'collector.db') })
    const authority = await createCertificateAuthority(Date.now(), randomBytes)
    const names = ['localhost']
    const identity = await ensureServerCertificate({
      directory,
      authority,
      names,
      now: Date.now(),
      random: randomBytes,
    })
    const keys = testKeys()
    const app = await buildApi(
      {
        store,
        decisions: new DecisionBook(store),
        clock: Date.now,
        random: randomBytes,
        version: '0.0.0-test',
        publicUrl: 'https://collector.example',
        livenessTime: () => ({ policy: defaultLivenessPolicy, now: Date.now(), downtime: [] }),
        keys,
        ...publishedFacts(store),
        passwordCost: { logN: 4, r: 1, p: 1 },
      },
      { certificate: identity.certificate, key: identity.privateKey },
    )
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const send = (method: string, path: string, body?: object, headers: object = {}): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : JSON.stringify(body)
        const type = payload === undefined ? {} : { 'content-type': 'application/json' }
        const options = { host: 'localhost', port, ca: authority.certificate, method, path: `/api/v1${path}` }
        const sent = request({ ...options, headers: { ...type, ...headers } }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (part: string) => (text += part))
          response.on('end', () => {
            const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed })
          })
        })
        sent.on('error', reject)
        sent.end(payload)
      })

    const circumstances = { now: Date.now(), random: randomBytes, by: 'collector' }
    const ada = { login: 'ada', name: 'Ada', role: 'operator', scope: null } as const
    const { id, invitation } = await createAccount(store, ada, circumstances)
    await send('POST', '/invitations/open', { invitation })
    const secret = keys.totpSecretOf(id, (await store.accounts.byId(id))?.totpSalt ?? utf8(''))
    const step = totpStep(Date.now())
    const password = 'correct horse battery'
    const setUp = await send('POST', '/invitations/take-up', { invitation, password, code: hotp(hmac, secret, step) })
    const [recovery = ''] = setUp.body['recoveryCodes'] as string[]
    // The code of now is used up: a person would wait for the next one, or take a recovery code.
    const used = await send('POST', '/session', { login: 'ada', password, code: hotp(hmac, secret, step) })
    expect(used.status).toBe(401)
    const opened = await send('POST', '/session', { login: 'ada', password, code: recovery })
    expect(opened.status).toBe(201)
    expect(opened.headers['cache-control']).toBe('no-store')
    const [cookie = ''] = opened.headers['set-cookie'] as string[]
    expect(cookie).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Strict$/)

    const held = { cookie: cookie.split(';')[0] }
    const page = { ...held, 'x-csrf-token': opened.body['csrfToken'] }
    const product = { vendor: 'Acme', model: 'Gate' }
    expect((await send('POST', '/products', product, held)).status).toBe(403)
    expect((await send('POST', '/products', product, page)).status).toBe(201)
    expect((await send('DELETE', '/session', undefined, page)).status).toBe(204)
    expect((await send('GET', '/products', undefined, held)).status).toBe(401)
    await app.close()
    await close()
    rmSync(directory, { recursive: true })
  })
})
