/** Lines of /proc/net/{tcp,udp}[6] as the kernel prints them. */

const HEADER4 = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const HEADER6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'

export interface SocketLine {
  /** Address and port as printed, `0100007F:0016`. */
  readonly local: string
  readonly remote?: string
  /** Two hexadecimal digits. */
  readonly state: string
  readonly inode?: number
}

export function socketTable(lines: readonly SocketLine[], family: 4 | 6 = 4): string {
  const nobody = `${'0'.repeat(family === 4 ? 8 : 32)}:0000`
  const rows = lines.map(({ local, remote = nobody, state, inode = 1000 }, slot) => {
    const head = `${String(slot).padStart(4)}: ${local} ${remote} ${state}`
    return `${head} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`
  })
  return (family === 4 ? HEADER4 : HEADER6) + rows.join('')
}
