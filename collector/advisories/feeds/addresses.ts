import { lookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { KeepsealError } from '../../../shared/errors.ts'

/** Addresses that nothing public is at: of this machine, of networks that are somebody's own, and of no machine at all. */
const notPublic = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  // IPv4 addresses in its last bits, which nobody has given out (RFC 4291, section 2.5.5.1): also :: and ::1.
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  // Tunnels lead to IPv4 addresses that are in them: Teredo (RFC 4380) and 6to4 (RFC 3056).
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv6')
}

/** An IPv4 address in the clothes of an IPv6 one (RFC 4291 section 2.5.5.2, RFC 6052 section 2.1) is what it wraps. */
const WRAPPED = /^(?:::ffff:|64:ff9b::)(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i

function unwrapped(address: string): string {
  const [, dotted, high, low] = WRAPPED.exec(address) ?? []
  if (dotted !== undefined) return dotted
  if (high === undefined || low === undefined) return address
  const [h, l] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [h >> 8, h & 255, l >> 8, l & 255].join('.')
}

/** The one way to write it (RFC 5952): each has many. */
function canonical(address: string): string {
  if (isIP(address) !== 6) return address
  return new URL(`http://[${address}]/`).hostname.replace(/^\[|\]$/g, '')
}

/** What is no address at all is not public either. */
export function isPublicAddress(address: string): boolean {
  const plain = unwrapped(canonical(address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')))
  const version = isIP(plain)
  return version !== 0 && !notPublic.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}

const refusal = (host: string): KeepsealError =>
  new KeepsealError('advisory.redirect-refused', `${host} is an address of this machine or of a private network`)

/** Error: advisory.redirect-refused, where the host is an address that is not public. A name is looked up later. */
export function assertPublicLiteral({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw refusal(hostname)
}

/**
 * Finds public addresses alone. The connection goes to what was found here: a name that means another address the next
 * time it is asked for gains nothing by it.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 0)
    const [first] = found
    if (first === undefined || found.some(({ address }) => !isPublicAddress(address))) {
      return callback(refusal(hostname), '', 0)
    }
    return options.all === true ? callback(null, found) : callback(null, first.address, first.family)
  })
}
