import type { Observation } from '../../shared/posture/observation.ts'
import type { Host, HostResult } from './host.ts'
import { printable } from './text.ts'

/** Turns what the host answered into an observation. */
export function observed<T, U>(result: HostResult<T>, read: (value: T) => Observation<U>): Observation<U> {
  return result.status === 'found' ? read(result.value) : { missing: result.status }
}

/** The content of a file that holds one line. A final newline or NUL (device tree properties) is not part of it. */
export function observeLine(host: Host, path: string, maxLength: number): Observation<string> {
  return observed(host.readText(path, maxLength * 4), (text) => ({
    value: printable(text.replace(/[\n\0]$/, ''), maxLength),
  }))
}
