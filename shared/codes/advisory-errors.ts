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
    title: 'a feed of advisories has lost half of what it had, at once or within a month',
    remedy:
      'What was there before stays in force. Look at the feed; if it is right: keepseal advisory fetch FEED --accept-shrunk',
  },
  'advisory.feed-unreachable': {
    title: 'a feed of advisories cannot be fetched',
    remedy:
      'Check the address, the network and the certificate. What was there before stays in force; it is tried again.',
  },
  'advisory.redirect-refused': {
    title: 'a feed of advisories sends elsewhere than it may',
    remedy:
      'Redirects lead to https, not from a public server into a private network, and five times at most. If the new ' +
      'address is right, put it into advisories.feeds.',
  },
  'advisory.digest-mismatch': {
    title: 'what a feed serves does not have the digest that it names',
    remedy: 'It was changed or damaged on the way. What was there before stays in force; it is tried again.',
  },
  'advisory.signature-invalid': {
    title: 'advisories are not signed by a key that is trusted here',
    remedy:
      'Nothing of them was taken. Of a feed: look whether openpgp_key_file is the key of its publisher. Of a bundle: put ' +
      'the thumbprint of the collector that made it into advisories.bundle_signers, or give it as --signed-by.',
  },
  'advisory.signature-unchecked': {
    title: 'a feed must be signed, and nothing here can check that',
    remedy: 'Install gpgv or sqv on the machine of the collector. What was there before stays in force.',
  },
  'advisory.bundle-older': {
    title: 'a bundle of advisories is older than what is known here',
    remedy: 'Nothing of it was taken. Get a newer one. If an older state is what you want: --force, which is recorded.',
  },
} as const
