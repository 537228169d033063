import { createServer, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { followLive } from '../../../collector/cli/client/watch/live.ts'

describe('who watches', () => {
  let server: Server | undefined
  let stop = (): void => undefined

  afterEach(() => {
    stop()
    server?.closeAllConnections()
    server?.close()
  })

  /** A collector that answers so, stream after stream; gives how often each change was told of. */
  async function follow(answer: (response: ServerResponse, round: number) => void) {
    let rounds = 0
    const asked: string[] = []
    const waiting: (() => void)[] = []
    let told = 0
    server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`)
      answer(response, rounds++)
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const settings = { url: new URL(`http://127.0.0.1:${port}`), token: 'ksa_x', authority: undefined }
    stop = followLive(settings)(() => {
      told += 1
      for (const each of waiting.splice(0)) each()
    }).stop
    return { asked, told: () => told, next: () => new Promise<void>((resolve) => waiting.push(resolve)) }
  }

  it('is told of each change, and not of signs of life', async () => {
    const { next, told, asked } = await follow((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': alive\n\n')
      setTimeout(() => response.write('event: devices\nda'), 20)
      setTimeout(() => response.write('ta: {"ueids":[]}\n\n'), 60)
    })
    await next()
    expect([told(), asked]).toEqual([1, ['/api/v1/live Bearer ksa_x']])
  })

  it('comes again when the collector has ended the stream', async () => {
    const { next, asked } = await follow((response, round) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (round === 0) response.end()
      else response.write('event: devices\ndata: {}\n\n')
    })
    await next()
    expect(asked).toHaveLength(2)
  })

  it('looks in its own time where there is no such stream', async () => {
    const { told, asked } = await follow((response) => response.writeHead(404).end())
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect([told(), asked.length]).toEqual([0, 1])
  })
})
