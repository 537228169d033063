import * as v from 'valibot'
import { option } from '../../shared/config/definition.ts'
import { integer, type ValueType } from '../../shared/config/value-types.ts'
import { isLoopbackHost, serverUrl } from '../../shared/config/url-types.ts'
import { isPrintable } from '../../shared/text/printable.ts'
import { FEED_KINDS, SIGNATURE_DEMANDS, type WrittenFeed } from '../advisories/feeds/feed.ts'
import { FEED_AUTHORITIES } from '../model/advisory.ts'

const DAY = 86_400
const GIB = 1024 ** 3
const MOST = 200

const seconds = (least: number, most: number) =>
  v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most)))
const file = v.optional(v.pipe(v.string(), v.regex(/^\/[^\p{Cc}\p{Cf}]{1,4095}$/u)))

/** No credentials in it: they would be a secret in the open. */
function isFeedUrl(text: string): boolean {
  if (text.length > 2048 || !isPrintable(text) || /[\s\\#]/.test(text) || !URL.canParse(text)) return false
  const { protocol, username, password, hostname } = new URL(text)
  return ['https:', 'http:'].includes(protocol) && username === '' && password === '' && hostname !== ''
}

const feed = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/)),
  kind: v.picklist(FEED_KINDS),
  url: v.pipe(v.string(), v.check(isFeedUrl)),
  of: v.optional(v.picklist(FEED_AUTHORITIES)),
  interval_seconds: seconds(60, 30 * DAY),
  max_age_seconds: seconds(60, 365 * DAY),
  max_bytes: seconds(1024, 16 * GIB),
  plain_http: v.optional(v.boolean()),
  authorization_file: file,
  openpgp_key_file: file,
  signatures: v.optional(v.picklist(SIGNATURE_DEMANDS)),
})

/** In a file as tables `[[advisories.feeds]]`; in the environment and in flags as JSON. */
function feeds(): ValueType<readonly WrittenFeed[]> {
  return {
    schema: v.pipe(v.array(feed), v.maxLength(MOST)),
    requirement:
      `a list of at most ${MOST} tables, each with name (a-z, 0-9, -), kind (${FEED_KINDS.join(', ')}) and url, and ` +
      'of, interval_seconds, max_age_seconds, max_bytes, plain_http, authorization_file, openpgp_key_file and ' +
      'signatures as docs/advisories.md has them; files by absolute paths',
    fromText: (text) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        return text
      }
    },
  }
}

/** SHA-256 thumbprints of keys of collectors (RFC 9679), as their log and `advisory export` show them. */
function thumbprints(): ValueType<readonly string[]> {
  return {
    schema: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))), v.maxLength(32)),
    requirement: 'a list of thumbprints, each of 64 characters 0-9 and a-f',
    fromText: (text) => (text === '' ? [] : text.split(',').map((one) => one.trim())),
  }
}

/** What the collector knows of vulnerabilities, and where from. */
export const advisoriesSection = {
  feeds: option(
    feeds(),
    [],
    'Where advisories are fetched from; docs/advisories.md. Empty: they are imported by hand.',
  ),
  proxy: option(
    serverUrl({ schemes: ['http:'], words: [''] }),
    '',
    'Proxy through which feeds with TLS are fetched; empty: none.',
  ),
  fetch_seconds: option(integer(10, DAY), 1800, 'Longest time that one file of a feed may take to arrive.'),
  idle_seconds: option(integer(1, 3600), 60, 'Longest time that a server of a feed may send nothing.'),
  bundle_signers: option(thumbprints(), [], 'Collectors whose bundles of advisories are taken, beside this one.'),
} as const

export const isUnique = (written: readonly WrittenFeed[]): boolean =>
  new Set(written.map(({ name }) => name)).size === written.length

/** Plain HTTP is for this machine, and where somebody has said that he wants it. */
export const isEncrypted = ({ url, plain_http: isPlain = false }: WrittenFeed): boolean =>
  isPlain || new URL(url).protocol === 'https:' || isLoopbackHost(new URL(url).hostname)

export const hasFittingSignatures = ({ kind, signatures, openpgp_key_file: key }: WrittenFeed): boolean =>
  kind === 'csaf-provider'
    ? signatures !== 'required' || key !== undefined
    : signatures === undefined && key === undefined
