import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { StoredEvent } from '../../../collector/model/notification.ts'
import { mailChannel } from '../../../collector/notify/mail.ts'
import { syslogChannel, syslogMessage } from '../../../collector/notify/syslog.ts'
import { webhookChannel } from '../../../collector/notify/webhook.ts'

const AT = Date.UTC(2026, 5, 1, 12)
const servers: { close(): unknown }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const event = (over: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 7,
  kind: 'finding.opened',
  at: AT,
  severity: 'critical',
  productId: 'prd_1',
  ueid: '01ab',
  code: 'boot.pcr-changed',
  subject: 'pcr/sha256/4',
  text: 'a boot measurement is not the approved one',
  ...over,
})

async function listening<S extends Server>(server: S): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

describe('a webhook', () => {
  async function receiver(status = 204, headers: Record<string, string> = {}) {
    const requests: { request: IncomingMessage; body: string }[] = []
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        requests.push({ request, body: Buffer.concat(parts).toString() })
        response.writeHead(status, headers).end()
      })
    })
    const url = `http://localhost:${await listening(server)}/hook`
    const secret = Buffer.from('secret of a test')
    const channel = webhookChannel({ url, secret, minimumSeverity: 'low', groupMs: 0, clock: () => AT })
    return { channel, requests, secret }
  }

  test('posts events with a signature that only the holder of the secret can make', async () => {
    const { channel, requests, secret } = await receiver()
    await channel.send({ id: 'ntf_1', events: [event()] })
    const [{ request, body } = { request: undefined, body: '' }] = requests
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request?.headers ?? {}
    expect(id).toBe('ntf_1')
    expect(timestamp).toBe(String(AT / 1000))
    const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
    expect(signature).toBe(`v1,${expected}`)
    expect(JSON.parse(body)).toEqual({
      version: 1,
      events: [
        {
          number: 7,
          at: '2026-06-01T12:00:00.000Z',
          kind: 'finding.opened',
          severity: 'critical',
          productId: 'prd_1',
          ueid: '01ab',
          code: 'boot.pcr-changed',
          subject: 'pcr/sha256/4',
          text: 'a boot measurement is not the approved one',
        },
      ],
    })
  })

  test.each([400, 404, 410, 500, 503])('that answers %i was not taken', async (status) => {
    const { channel } = await receiver(status)
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow(String(status))
  })

  test('is not carried on to where an answer points', async () => {
    const { requests, ...target } = await receiver()
    void target
    const { channel } = await receiver(307, { location: 'http://localhost:1/other' })
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow('307')
    expect(requests).toEqual([])
  })

  test('to where nobody listens was not taken', async () => {
    const url = 'http://localhost:1/'
    const channel = webhookChannel({ url, secret: Buffer.of(1), minimumSeverity: 'low', groupMs: 0, clock: () => AT })
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow()
  })
})

describe('a syslog message', () => {
  const options = { hostname: 'collector', version: '1', minimumSeverity: 'low' } as const

  test('is one of RFC 5424 with the fields of CEF', () => {
    expect(syslogMessage(event(), { ...options, format: 'cef' })).toBe(
      '<106>1 2026-06-01T12:00:00.000Z collector keepseal - finding.opened - CEF:0|Keepseal|Keepseal|1|boot.pcr-changed|' +
        'a boot measurement is not the approved one|10|rt=1780315200000 externalId=7 cat=finding.opened ' +
        'deviceExternalId=01ab cs1Label=product cs1=prd_1 msg=pcr/sha256/4',
    )
  })

  test('has one line and seven bars, whatever a device has written into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, subject) => {
        const message = syslogMessage(event({ text, subject }), { ...options, format: 'cef' })
        expect(message).not.toMatch(/[\n\r\0]/)
        expect(message.replaceAll(/\\[\\|]/g, '').split('|').length).toBeGreaterThanOrEqual(8)
        const header = message.slice(message.indexOf('CEF:0')).replaceAll(/\\[\\|]/g, '')
        expect(header.split('|', 8).slice(0, 4)).toEqual(['CEF:0', 'Keepseal', 'Keepseal', '1'])
      }),
    )
  })

  test('is counted by its bytes, and taken when all of them are', async () => {
    const parts: Buffer[] = []
    const server = createTcpServer((socket) => socket.on('data', (part) => parts.push(part)))
    const port = await listening(server)
    const channel = syslogChannel({ ...options, format: 'plain', url: `tcp://localhost:${port}` })
    await channel.send({ id: 'ntf_1', events: [event({ text: 'Grüße' }), event()] })
    const sent = Buffer.concat(parts).toString()
    const [, length = '', rest = ''] = /^(\d+) (.*)$/s.exec(sent) ?? []
    const first = Buffer.from(rest).subarray(0, Number(length)).toString()
    expect(first).toMatch(/^<106>1 .* Grüße$/)
    expect(Buffer.from(rest).subarray(Number(length)).toString()).toMatch(/^\d+ <106>1 /)
  })

  test('to where nobody listens was not taken', async () => {
    const channel = syslogChannel({ ...options, format: 'cef', url: 'tcp://localhost:1' })
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow()
  })
})

describe('a mail', () => {
  /** As little of RFC 5321 as a client needs to hand over one mail; `refuse` says no to its content. */
  async function mailServer(refuse = false, host = 'localhost') {
    const mails: string[] = []
    const server = createTcpServer((socket) => {
      let isData = false
      let mail = ''
      socket.write('220 test\r\n')
      socket.on('data', (part) => {
        for (const line of part.toString().split('\r\n').slice(0, -1)) {
          if (isData && line !== '.') mail += `${line}\n`
          else if (isData) {
            isData = false
            if (!refuse) mails.push(mail)
            socket.write(refuse ? '554 no\r\n' : '250 taken\r\n')
          } else if (line === 'DATA') {
            isData = true
            socket.write('354 go\r\n')
          } else if (line === 'STARTTLS') socket.write('502 not here\r\n')
          else if (line === 'QUIT') socket.end('221 bye\r\n')
          else socket.write('250 ok\r\n')
        }
      })
      socket.on('error', () => undefined)
    })
    const url = `smtp://${host}:${await listening(server)}`
    const addresses = { from: 'keepseal@example.com', to: 'ops@example.com', user: '', password: '' }
    return { mails, channel: mailChannel({ url, ...addresses, minimumSeverity: 'low', groupMs: 0 }) }
  }

  test('says what happened, and nothing of a device becomes a header', async () => {
    const { mails, channel } = await mailServer()
    await channel.send({ id: 'ntf_1', events: [event({ text: 'x\r\nBcc: all@example.com\r\n\r\nhello' }), event()] })
    const [mail = ''] = mails
    const [headers = '', body = ''] = mail.split('\n\n', 2)
    expect(headers).toMatch(/^Message-ID: <ntf_1@keepseal>$/m)
    expect(headers).toMatch(/^To: ops@example.com$/m)
    expect(headers).not.toMatch(/^Bcc:/im)
    expect(headers).toMatch(/^Subject: Keepseal: critical x.* and 1 more$/ms)
    // Long lines are folded (RFC 2045 section 6.7).
    expect(body.replaceAll('=\n', '')).toContain('keepseal device show 01ab')
  })

  test('goes without TLS to no host whose name only looks like this machine', async () => {
    const { mails, channel } = await mailServer(false, '127.1')
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow()
    expect(mails).toEqual([])
  })

  test('that the server refuses was not taken', async () => {
    const { channel } = await mailServer(true)
    await expect(channel.send({ id: 'ntf_1', events: [event()] })).rejects.toThrow('554')
  })
})
