/** Size of sun_path in struct sockaddr_un on Linux (unix(7)). */
const MAX_PATH = 108

const AF_UNIX = 1

/**
 * `struct sockaddr_un` of what NOTIFY_SOCKET names (sd_notify(3)): an absolute path, or @ and an abstract name.
 * Undefined for anything else.
 */
export function unixAddress(name: string): Uint8Array | undefined {
  const path = Buffer.from(name, 'utf8')
  const abstract = name.startsWith('@') && path.length > 1
  if (!abstract && !name.startsWith('/')) return undefined
  // A path ends with NUL; an abstract name is as long as the address says.
  if (path.length + (abstract ? 0 : 1) > MAX_PATH) return undefined
  const address = Buffer.alloc(2 + path.length + (abstract ? 0 : 1))
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX
  path.copy(address, 2)
  if (abstract) address[2] = 0
  return address
}
