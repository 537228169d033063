/** The last day on which a distribution's release gets security updates, YYYY-MM-DD. */
export interface SupportDates {
  /** By those who made the release. */
  readonly end: string
  /** By others afterwards, free of charge, for fewer packages: Debian LTS. */
  readonly extendedEnd?: string
}

/**
 * By ID and VERSION_ID of os-release(5). Only dates that their makers have published: an unknown release is unknown,
 * and never taken for supported. Sources, read in 2026:
 * debian, ubuntu: distro-info-data 0.58+deb12u6 (eol, eol-lts; eol-server); alpine: alpinelinux.org/releases;
 * openwrt: openwrt.org/docs/guide-developer/security; fedora: docs.fedoraproject.org/en-US/releases/eol.
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
  alpine: {
    '3.16': { end: '2024-05-23' },
    '3.17': { end: '2024-11-22' },
    '3.18': { end: '2025-05-09' },
    '3.19': { end: '2025-11-01' },
    '3.20': { end: '2026-04-01' },
    '3.21': { end: '2026-11-01' },
    '3.22': { end: '2027-05-01' },
  },
  openwrt: { '21.02': { end: '2023-05-01' } },
  fedora: {
    '38': { end: '2024-05-21' },
    '39': { end: '2024-11-26' },
    '40': { end: '2025-05-13' },
    '41': { end: '2025-12-15' },
  },
}

/** Whose VERSION_ID names the point release, which the dates do not depend on. */
const WITH_POINT_RELEASES: ReadonlySet<string> = new Set(['alpine', 'openwrt'])

export function supportDatesOf(id: string, versionId: string): SupportDates | undefined {
  if (!Object.hasOwn(TABLE, id)) return undefined
  const series = WITH_POINT_RELEASES.has(id) ? versionId.split('.').slice(0, 2).join('.') : versionId
  const releases = TABLE[id] ?? {}
  return Object.hasOwn(releases, series) ? releases[series] : undefined
}
