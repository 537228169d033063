import { unixAddress } from './socket-address.ts'

/** Speaks to the service manager that started this process, in the protocol of sd_notify(3). */
export interface ServiceManager {
  /** Each word is one line, such as READY=1. What cannot be delivered is lost: it must not stop the service. */
  tell(...lines: readonly string[]): void
  /** How often it wants to hear of us, in milliseconds; undefined where it does not watch. */
  readonly watchdogMs: number | undefined
}

/** The C library that the process runs with. Types are named as in C. */
export interface CLibrary {
  func(name: string, result: string, parameters: string[]): (...parameters: (number | Uint8Array)[]) => unknown
}

/** The process that speaks. */
export interface Speaker {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Asked for only where there is somebody to speak to. */
  readonly cLibrary: () => Promise<CLibrary>
  readonly report: (problem: string) => void
}

const NOBODY: ServiceManager = { tell: () => undefined, watchdogMs: undefined }

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

/**
 * Node has no Unix datagrams, and another program would not be the main process of the unit, which alone is listened
 * to: so it is socket(2) and sendto(2) of the C library that Node itself runs with. Nobody is told where NOTIFY_SOCKET
 * is not set. Throws nothing: a service manager that cannot be spoken to ends a service that does not say it is ready,
 * and its journal says why.
 */
export async function speakToServiceManager(speaker: Speaker): Promise<ServiceManager> {
  const { environment, report } = speaker
  const name = environment['NOTIFY_SOCKET']
  if (name === undefined || name === '') return NOBODY
  const address = unixAddress(name)
  if (address === undefined) {
    report(`NOTIFY_SOCKET is no address of a Unix socket: ${name}`)
    return NOBODY
  }
  try {
    const c = await speaker.cLibrary()
    const socket = c.func('socket', 'int', ['int', 'int', 'int'])
    const sendto = c.func('sendto', 'long', ['int', 'void *', 'size_t', 'int', 'void *', 'uint'])
    const descriptor = Number(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
    if (descriptor < 0) throw new Error('socket(2) failed')
    return {
      watchdogMs: watchdogOf(speaker),
      tell(...lines) {
        const message = new TextEncoder().encode(lines.join('\n'))
        sendto(descriptor, message, message.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length)
      },
    }
  } catch (error) {
    report(`the service manager cannot be told: ${error instanceof Error ? error.message : String(error)}`)
    return NOBODY
  }
}

/** WATCHDOG_USEC, unless WATCHDOG_PID says that it is for another process (sd_watchdog_enabled(3)). */
function watchdogOf({ environment, pid }: Speaker): number | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'])
  const watched = environment['WATCHDOG_PID']
  if (!Number.isSafeInteger(microseconds) || microseconds < 1000) return undefined
  return watched === undefined || Number(watched) === pid ? microseconds / 1000 : undefined
}
