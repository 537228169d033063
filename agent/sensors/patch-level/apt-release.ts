import type { Host } from '../host.ts'

/** What an archive says of itself, as far as it decides which version apt prefers. */
export interface ReleaseFacts {
  /** apt_preferences(5): 500, or less for archives that ask not to be taken from by default. */
  readonly priority: number
  readonly isSecurity: boolean
  /** Seconds since 1970; undefined if there is no release file. */
  readonly modified: number | undefined
}

/** The facts stand before the digests, which make up nearly all of the file. */
const HEAD_BYTES = 16 * 1024
const FIELD = /^(Origin|Label|Suite|Codename|NotAutomatic|ButAutomaticUpgrades):(.*)$/gm
const DIGESTS = /^(?:MD5Sum|SHA1|SHA256|SHA512):/m

/** Without a readable release file nothing is known of the archive: apt's default, and no security archive. */
export function readRelease(host: Host, prefix: string): ReleaseFacts {
  for (const name of ['InRelease', 'Release']) {
    const path = `${prefix}${name}`
    const text = readHead(host, path)
    if (text === undefined) continue
    const stat = host.stat(path)
    const fields = new Map<string, string>()
    for (const [, field = '', value = ''] of text.split(DIGESTS, 1).join('').matchAll(FIELD))
      fields.set(field, value.trim())
    const names = [fields.get('Suite'), fields.get('Codename')]
    return {
      priority: fields.get('NotAutomatic') !== 'yes' ? 500 : fields.get('ButAutomaticUpgrades') === 'yes' ? 100 : 1,
      // Debian names its security archive by label, Ubuntu by suite alone.
      isSecurity:
        fields.get('Label') === 'Debian-Security' || names.some((one) => /(?:^|[-/])security$/.test(one ?? '')),
      modified: stat.status === 'found' ? stat.value.modified : undefined,
    }
  }
  return { priority: 500, isSecurity: false, modified: undefined }
}

function readHead(host: Host, path: string): string | undefined {
  const file = host.open(path)
  if (file.status !== 'found') return undefined
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    const length = file.value.read(head, 0)
    return length.status === 'found' ? head.toString('latin1', 0, length.value) : undefined
  } finally {
    file.value.close()
  }
}
