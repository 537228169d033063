import { printable } from '../shared/text/printable.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Priorities of syslog (RFC 5424), which journald reads from the head of a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

export type Log = Readonly<Record<LogLevel, (message: string) => void>>

/**
 * Lines for journald, or with the time for anything else. The same message again within a minute is left out, and
 * counted when another one comes: a broken link must not fill a gateway's flash.
 */
export function createLog(options: {
  readonly level: LogLevel
  readonly write: (line: string) => void
  readonly journald: boolean
  readonly clock: () => number
}): Log {
  const { level, write, journald, clock } = options
  let last = { text: '', at: 0, repeats: 0 }
  const put = (severity: LogLevel, text: string): void => {
    const head = journald ? `<${PRIORITY[severity]}>` : `${new Date(clock()).toISOString()} ${severity} `
    write(`${head}${printable(text)}\n`)
  }
  const say = (severity: LogLevel) => (message: string) => {
    if (PRIORITY[severity] > PRIORITY[level]) return
    const now = clock()
    if (message === last.text && Math.abs(now - last.at) < 60_000) {
      last.repeats++
      return
    }
    if (last.repeats > 0) put(severity, `(the last message came ${last.repeats} more times)`)
    last = { text: message, at: now, repeats: 0 }
    put(severity, message)
  }
  return { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') }
}
