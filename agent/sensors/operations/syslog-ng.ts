import type { LogTarget } from '../../../shared/posture/sections/operations.ts'
import { printable, printableWord } from '../text.ts'
import type { Configuration } from './configuration.ts'

const MAIN = '/etc/syslog-ng/syslog-ng.conf'
const MORE = '/etc/syslog-ng/conf.d'

/** Drivers of syslog-ng that send over a network. */
const DRIVER = /\b(network|syslog|tcp6?|udp6?)\s*\(\s*(?:ip\s*\(\s*)?"?([^\s"();]+)"?/g

/**
 * Finds the remote ones among `destination d_x { network("host" transport("tls") port(6514)); };`. What a destination
 * is used for is said elsewhere in the file, and not followed.
 */
export function parseSyslogNg(text: string): readonly LogTarget[] {
  // A "#" within quotes belongs to a value.
  const code = text.replace(/"[^"\n]*"|#[^\n]*/g, (part) => (part.startsWith('#') ? '' : part))
  const targets: LogTarget[] = []
  for (const match of code.matchAll(/\bdestination\s+("?[\w.-]*"?)\s*\{/g)) {
    const block = code.slice(match.index + match[0].length, blockEnd(code, match.index + match[0].length))
    for (const driver of block.matchAll(DRIVER)) {
      const [, kind = '', host = ''] = driver
      const options = block.slice(driver.index, driverEnd(block, driver.index))
      targets.push(targetOf(kind, host, options, match[1] ?? ''))
    }
  }
  return targets
}

function targetOf(kind: string, host: string, options: string, name: string): LogTarget {
  const option = (key: string): string | undefined =>
    new RegExp(`\\b${key}\\s*\\(\\s*"?([^\\s"()]+)`).exec(options)?.[1]
  const port = option('port')
  const transport = option('transport') ?? /^(?:tcp|udp)/.exec(kind)?.[0] ?? 'tcp'
  return {
    service: 'syslog-ng',
    address: printableWord(port === undefined ? host : `${host}:${port}`, 512),
    protocol: printable(transport, 128),
    tls: /tls/.test(transport) || /\btls\s*\(/.test(options) ? 'on' : 'off',
    selector: printable(name.replaceAll('"', ''), 256),
  }
}

/** Destinations are not nested, but values may hold braces. */
function blockEnd(text: string, start: number): number {
  const end = text.indexOf('};', start)
  const plain = text.indexOf('}', start)
  return end >= 0 ? end : plain >= 0 ? plain : text.length
}

/** Up to the parenthesis that closes the driver's own. */
function driverEnd(text: string, start: number): number {
  let depth = 0
  for (let at = text.indexOf('(', start); at < text.length && at >= 0; at++) {
    const character = text.charAt(at)
    if (character === '(') depth += 1
    else if (character === ')' && --depth === 0) return at
  }
  return text.length
}

export function readSyslogNg(files: Configuration): readonly LogTarget[] {
  const paths = files.host.stat(MAIN).status === 'absent' ? [] : [MAIN, ...files.parts(MORE, '.conf')]
  return paths.flatMap((path) => parseSyslogNg(files.find(path) ?? ''))
}
