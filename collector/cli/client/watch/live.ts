import { request as httpRequest, type ClientRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ClientSettings } from '../settings.ts'

/** Told of each change until it is stopped. */
export type Follow = (onChange: () => void) => { readonly stop: () => void }

const PATH = '/api/v1/live'
/** A collector ends each stream after two minutes; one that cannot be had is asked for more seldom. */
const AGAIN_MS = 1_000
const LATER_MS = 30_000
/** Longer than the pause between two signs of life. */
const SILENT_MS = 45_000
const EVENT = 'data:'

/**
 * The collector's server-sent events (WHATWG HTML, section 9.2): that devices have changed, and nothing of how. Whoever
 * watches looks at once then; without them, as with an older collector, he looks in his own time.
 */
export const followLive =
  ({ url, token, authority }: ClientSettings): Follow =>
  (onChange) => {
    let isOver = false
    let request: ClientRequest | undefined
    let timer: NodeJS.Timeout | undefined
    const again = (milliseconds: number): void => {
      clearTimeout(timer)
      if (!isOver) timer = setTimeout(open, milliseconds).unref()
    }
    const open = (): void => {
      const target = new URL(PATH, url)
      const start = target.protocol === 'http:' ? httpRequest : httpsRequest
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` }
      const options = { agent: false, timeout: SILENT_MS, headers, minVersion: 'TLSv1.2' as const }
      request = start(target, { ...options, ...(authority === undefined ? {} : { ca: authority }) }, (response) => {
        if (response.statusCode !== 200) {
          response.resume()
          again(LATER_MS)
          return
        }
        let end = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          if ((end + text).includes(EVENT)) onChange()
          // The name of a field may come in two parts; one that was told of is not told of again.
          end = text.slice(1 - EVENT.length)
        })
        response.on('close', () => again(AGAIN_MS))
        response.on('error', () => again(LATER_MS))
      })
      request.on('timeout', () => request?.destroy())
      request.on('error', () => again(LATER_MS))
      request.end()
    }
    open()
    return {
      stop: () => {
        isOver = true
        clearTimeout(timer)
        request?.destroy()
      },
    }
  }
