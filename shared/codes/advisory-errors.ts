/** Of advisories and their feeds. Part of ./errors.ts. */
export const advisoryErrors = {
  'advisory.malformed': {
    title: 'an advisory is not as its format says',
    remedy: 'Correct the place named in the message, or tell its publisher. Nothing of the document was taken.',
  },
  'advisory.too-large': {
    title: 'an advisory or a feed is larger than any real one',
    remedy: 'Look what the address really serves. Nothing of it was taken.',
  },
  'advisory.format-unknown': {
    title: 'a file is in no format of advisories that is known here',
    remedy: 'docs/advisories.md lists the formats: OSV, CSAF 2.0, OpenVEX, CycloneDX, and those of Debian and Alpine.',
  },
  'advisory.feed-shrunk': {
    title: 'a feed of advisories has lost half of what it had',
    remedy: 'What was there before stays in force. Look at the feed; if it is right: keepseal advisory accept FEED',
  },
  'advisory.feed-unreachable': {
    title: 'a feed of advisories cannot be fetched',
    remedy:
      'Check the address, the network and the certificate. What was there before stays in force; it is tried again.',
  },
  'advisory.digest-mismatch': {
    title: 'what a feed serves does not have the digest that it names',
    remedy: 'It was changed or damaged on the way. What was there before stays in force; it is tried again.',
  },
  'advisory.signature-invalid': {
    title: 'a bundle of advisories is not signed by a key that is trusted here',
    remedy: 'Give the key of the collector that made it: keepseal advisory import FILE --signed-by THUMBPRINT',
  },
} as const
