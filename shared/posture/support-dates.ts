/** The last day on which a distribution's release gets security updates, YYYY-MM-DD. */
export interface SupportDates {
  /** By those who made the release. */
  readonly end: string
  /** By others afterwards, free of charge, for fewer packages: Debian LTS. */
  readonly extendedEnd?: string
}

/**
 * By ID and VERSION_ID of os-release(5). Only dates that could be checked: an unknown release is unknown, and never taken
 * for supported. Fedora tells its own date in os-release. Source: distro-info-data 0.58+deb12u6 (eol, eol-lts; eol-server).
 */
const TABLE: Readonly<Record<string, Readonly<Record<string, SupportDates>>>> = {
  debian: {
    '8': { end: '2018-06-17', extendedEnd: '2020-06-30' },
    '9': { end: '2020-07-18', extendedEnd: '2022-06-30' },
    '10': { end: '2022-09-10', extendedEnd: '2024-06-30' },
    '11': { end: '2024-08-14', extendedEnd: '2026-08-31' },
    '12': { end: '2026-07-11', extendedEnd: '2028-06-30' },
    '13': { end: '2028-08-09', extendedEnd: '2030-06-30' },
  },
  ubuntu: {
    '16.04': { end: '2021-04-30' },
    '18.04': { end: '2023-05-31' },
    '20.04': { end: '2025-05-29' },
    '22.04': { end: '2027-06-01' },
    '24.04': { end: '2029-05-31' },
    '26.04': { end: '2031-05-29' },
  },
}

export function supportDatesOf(id: string, versionId: string): SupportDates | undefined {
  if (!Object.hasOwn(TABLE, id)) return undefined
  const releases = TABLE[id] ?? {}
  return Object.hasOwn(releases, versionId) ? releases[versionId] : undefined
}
