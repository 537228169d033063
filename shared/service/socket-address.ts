/** Size of sun_path in struct sockaddr_un on Linux (unix(7)). */
const MAX_PATH = 108

const AF_UNIX = 1

/**
 * `struct sockaddr_un` of what NOTIFY_SOCKET names (sd_notify(3)): an absolute path, or @ and an abstract name.
 * Undefined for anything else.
 */
export function unixAddress(name: string): Uint8Array | undefined {
  const path = new TextEncoder().encode(name)
  const abstract = name.startsWith('@') && path.length > 1
  if (!abstract && !name.startsWith('/')) return undefined
  // A path ends with NUL; an abstract name is as long as the address says.
  const length = path.length + (abstract ? 0 : 1)
  if (length > MAX_PATH) return undefined
  const address = new Uint8Array(2 + length)
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX
  address.set(path, 2)
  if (abstract) address[2] = 0
  return address
}
