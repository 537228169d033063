import { networkInterfaces } from 'node:os'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLink, type LoginLink } from '../../deploy/preview/login-link.ts'
import { freePort } from '../support/mosquitto.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))

interface Answer {
  readonly status: number | undefined
  readonly location: string | undefined
  readonly cookie: string | undefined
}

/** As a browser that came by `host` asks at `address`. */
const ask = (address: string, port: number, path: string, host: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request({ host: address, port, path, headers: { host }, agent: false }, (response) => {
      response.resume()
      const { location, 'set-cookie': cookies } = response.headers
      resolve({ status: response.statusCode, location, cookie: cookies?.[0] })
    })
      .on('error', reject)
      .end()
  })

describe('the link of the preview', () => {
  let link: LoginLink
  let port: number
  beforeEach(async () => {
    port = await freePort()
    const ports = { https: 1, plain: 8080, mqtt: 2, metrics: 3, link: port, tpm: 4 }
    link = await openLink(ports, { logIn: async () => 'session=1' }, () => {})
  })
  afterEach(() => link.stop())

  const path = () => new URL(link.next()).pathname

  it.each(['localhost', '127.0.0.1'])(
    'logs in a browser that came by %s, and sends it on by that name',
    async (name) => {
      const answer = await ask('127.0.0.1', port, path(), `${name}:${port}`)
      expect(answer).toEqual({ status: 303, location: `http://${name}:8080/`, cookie: 'session=1' })
    },
  )

  it.skipIf(!hasIpv6)(`answers to localhost by IPv6${hasIpv6 ? '' : ' (skipped: no IPv6)'}`, async () => {
    const answer = await ask('::1', port, path(), `localhost:${port}`)
    expect(answer).toMatchObject({ status: 303, location: 'http://localhost:8080/' })
  })

  it.skipIf(!hasIpv6)(
    `is not used up by whoever came by the address of IPv6${hasIpv6 ? '' : ' (skipped: no IPv6)'}`,
    async () => {
      const once = path()
      const answer = await ask('::1', port, once, `[::1]:${port}`)
      expect(answer).toEqual({ status: 303, location: `http://localhost:${port}${once}`, cookie: undefined })
      expect(await ask('::1', port, once, `localhost:${port}`)).toMatchObject({ cookie: 'session=1' })
    },
  )

  it('is good once, and for no other name', async () => {
    const once = path()
    expect(await ask('127.0.0.1', port, once, 'evil.example')).toMatchObject({ status: 403, cookie: undefined })
    expect(await ask('127.0.0.1', port, once, `localhost:${port}`)).toMatchObject({ status: 303 })
    expect(await ask('127.0.0.1', port, once, `localhost:${port}`)).toMatchObject({ status: 403, cookie: undefined })
  })
})
