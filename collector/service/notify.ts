import type { Timing } from '../../shared/service/heartbeat.ts'
import { speakToServiceManager, type ServiceManager } from '../../shared/service/notify.ts'

/** Who started this process, to be told how it goes; nobody where NOTIFY_SOCKET is not set. Throws nothing. */
export function serviceManager(
  environment: Readonly<Record<string, string | undefined>>,
  report: (problem: string) => void,
): Promise<ServiceManager> {
  // On demand alone: images are made without it, as nobody is to be told there.
  const cLibrary = async () => (await import('koffi')).default.load(null)
  return speakToServiceManager({ environment, pid: process.pid, cLibrary, report })
}

export const timing: Timing = {
  monotonic: () => performance.now(),
  every: (ms, action) => {
    const timer = setInterval(action, ms)
    return () => clearInterval(timer)
  },
}
