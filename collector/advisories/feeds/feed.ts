import type { FeedAuthority } from '../../model/advisory.ts'

/** What an address serves, and how it is read. docs/advisories.md has a row for each. */
export const FEED_KINDS = [
  'osv-zip',
  'debian-tracker',
  'alpine-secdb',
  'csaf-provider',
  'document',
  'kev',
  'epss',
] as const
export type FeedKind = (typeof FEED_KINDS)[number]

export const SIGNATURE_DEMANDS = ['required', 'checked'] as const
export type SignatureDemand = (typeof SIGNATURE_DEMANDS)[number]

/** A feed as the configuration has it: TOML's names, and only what was written. */
export interface WrittenFeed {
  readonly name: string
  readonly kind: FeedKind
  readonly url: string
  readonly of?: FeedAuthority | undefined
  readonly interval_seconds?: number | undefined
  readonly max_age_seconds?: number | undefined
  readonly max_bytes?: number | undefined
  readonly plain_http?: boolean | undefined
  readonly authorization_file?: string | undefined
  readonly openpgp_key_file?: string | undefined
  readonly signatures?: SignatureDemand | undefined
}

/** A feed that is fetched, with nothing left open. */
export interface Feed {
  readonly name: string
  readonly kind: FeedKind
  readonly url: string
  readonly authority: FeedAuthority
  readonly intervalMs: number
  /** Older than this people are told. */
  readonly maxAgeMs: number
  /** Of one file as it is served. */
  readonly maxBytes: number
  /** Without TLS, by those who know what they do. */
  readonly plainHttp: boolean
  /** Empty: none. */
  readonly authorizationFile: string
  readonly openpgpKeyFile: string
  readonly signatures: SignatureDemand
}

const MIB = 1024 * 1024
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Several times what was served in 2026: what is larger is something else. */
const MAX_BYTES: Readonly<Record<FeedKind, number>> = {
  'osv-zip': 1024 * MIB,
  'debian-tracker': 512 * MIB,
  'alpine-secdb': 64 * MIB,
  'csaf-provider': 64 * MIB,
  document: 64 * MIB,
  kev: 64 * MIB,
  epss: 64 * MIB,
}

export function feedOf(written: WrittenFeed): Feed {
  const { name, kind, url, interval_seconds: interval, max_age_seconds: maxAge } = written
  const intervalMs = interval === undefined ? 6 * HOUR_MS : interval * 1000
  return {
    name,
    kind,
    url,
    authority: written.of ?? (kind === 'kev' || kind === 'epss' || kind === 'document' ? 'other' : 'distribution'),
    intervalMs,
    maxAgeMs: maxAge === undefined ? Math.max(3 * intervalMs, DAY_MS) : maxAge * 1000,
    maxBytes: written.max_bytes ?? MAX_BYTES[kind],
    plainHttp: written.plain_http ?? false,
    authorizationFile: written.authorization_file ?? '',
    openpgpKeyFile: written.openpgp_key_file ?? '',
    signatures: written.signatures ?? 'checked',
  }
}
