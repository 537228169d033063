import type { HostResult } from './host.ts'
import { SensorFailure } from './sensor.ts'

/**
 * The value of an input without which the sensor has nothing to say, or undefined if the system does not have it.
 * Throws SensorFailure if it is there and cannot be read: that is never the same as not being there.
 */
export function required<T>(result: HostResult<T>, path: string, kind: 'file' | 'directory'): T | undefined {
  switch (result.status) {
    case 'found':
      return result.value
    case 'absent':
      return undefined
    case 'no-permission':
      throw new SensorFailure({ status: 'no-permission', reason: `${kind}-not-readable`, detail: path })
    case 'too-large':
      throw new SensorFailure({ status: 'failed', code: 'input-too-large', detail: path })
    default:
      throw new SensorFailure({ status: 'failed', code: 'input-unreadable', detail: path })
  }
}
