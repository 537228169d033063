import type { Host, HostResult } from '../../agent/sensors/host.ts'

/** One thing that a sensor asked for, and how that ended. */
export interface Asked {
  readonly action: 'readFile' | 'readText' | 'open' | 'readDirectory' | 'readEntries' | 'readLink' | 'stat'
  readonly path: string
  readonly status: HostResult<unknown>['status']
}

/** The host, and all that it is asked for. */
export function watchedHost(host: Host, told: (asked: Asked) => void): Host {
  const tell = <T>(action: Asked['action'], path: string, result: HostResult<T>): HostResult<T> => {
    told({ action, path, status: result.status })
    return result
  }
  return {
    ...host,
    readFile: (path, max) => tell('readFile', path, host.readFile(path, max)),
    readText: (path, max) => tell('readText', path, host.readText(path, max)),
    open: (path) => tell('open', path, host.open(path)),
    readDirectory: (path, max) => tell('readDirectory', path, host.readDirectory(path, max)),
    readEntries: (path, max) => tell('readEntries', path, host.readEntries(path, max)),
    readLink: (path) => tell('readLink', path, host.readLink(path)),
    stat: (path) => tell('stat', path, host.stat(path)),
  }
}

/** The host on which whatever was listed is gone when it is looked at, if its path is `fleeting`. */
export function vanishingHost(host: Host, fleeting: RegExp): Host {
  const gone = { status: 'absent' } as const
  const isGone = (path: string): boolean => fleeting.test(path)
  return {
    ...host,
    readFile: (path, max) => (isGone(path) ? gone : host.readFile(path, max)),
    readText: (path, max) => (isGone(path) ? gone : host.readText(path, max)),
    open: (path) => (isGone(path) ? gone : host.open(path)),
    readDirectory: (path, max) => (isGone(path) ? gone : host.readDirectory(path, max)),
    readEntries: (path, max) => (isGone(path) ? gone : host.readEntries(path, max)),
    readLink: (path) => (isGone(path) ? gone : host.readLink(path)),
    stat: (path) => (isGone(path) ? gone : host.stat(path)),
  }
}
