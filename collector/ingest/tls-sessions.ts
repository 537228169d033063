import type { Server } from 'node:tls'

/** Of a device that comes for a report a day, with time to spare. The registry is asked with each connection all the same. */
export const SESSION_SECONDS = 2 * 86_400
/** Some KiB each, with the certificate of the device in it. */
const MAX_SESSIONS = 4096

/**
 * TLS sessions of devices that come and go (RFC 5246 section 7.3), in memory: one that is resumed takes neither the
 * certificates nor the signatures again. Of too many the oldest go, and their devices make new ones.
 */
export function keepSessions(server: Server, clock: () => number): void {
  const sessions = new Map<string, { readonly data: Buffer; readonly at: number }>()
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    const [oldest] = sessions.keys()
    if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest)
    sessions.set(id.toString('latin1'), { data, at: clock() })
    done()
  })
  server.on('resumeSession', (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
    const name = id.toString('latin1')
    const kept = sessions.get(name)
    const isOver = kept !== undefined && clock() - kept.at > SESSION_SECONDS * 1000
    if (isOver) sessions.delete(name)
    done(null, kept === undefined || isOver ? null : kept.data)
  })
}
