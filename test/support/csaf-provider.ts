import { createHash } from 'node:crypto'
import type { FeedServer } from './feed-server.ts'

/** A document about one package of a distribution that has a fix. */
export const csafDocument = (id: string, name: string, fixed: string, updated = '2026-01-02T00:00:00Z') => ({
  document: {
    category: 'csaf_security_advisory',
    csaf_version: '2.0',
    title: `${name} has a fault`,
    publisher: { category: 'vendor', name: 'Acme', namespace: 'https://acme.example' },
    tracking: {
      id,
      status: 'final',
      version: '1',
      initial_release_date: '2026-01-01T00:00:00Z',
      current_release_date: updated,
      revision_history: [],
    },
  },
  product_tree: {
    branches: [
      {
        category: 'product_version',
        name: `${name} ${fixed}`,
        product: {
          name: `${name} ${fixed}`,
          product_id: 'P-1',
          product_identification_helper: { purl: `pkg:deb/debian/${name}@${fixed}?arch=source&distro=debian-12` },
        },
      },
    ],
  },
  vulnerabilities: [
    { cve: `CVE-2026-${1000 + Number(/\d+$/.exec(id)?.[0] ?? 0)}`, product_status: { fixed: ['P-1'] } },
  ],
})

export interface ProvidedDocument {
  readonly path: string
  readonly updated: string
  readonly body: string | Buffer
  /** Of its OpenPGP signature; none without. */
  readonly signature?: string | Buffer
  readonly sha512?: string
  readonly sha256?: string
}

export const provided = (
  document: ReturnType<typeof csafDocument>,
  more: Partial<ProvidedDocument> = {},
): ProvidedDocument => {
  const { id, current_release_date: updated } = document.document.tracking
  return { path: `2026/${id.toLowerCase()}.json`, updated, body: JSON.stringify(document), ...more }
}

/** Serves a provider: its metadata, one of the two kinds of listings, and documents with their digests beside them. */
export function serveProvider(
  server: FeedServer,
  kind: 'rolie' | 'directory',
  documents: readonly ProvidedDocument[],
): void {
  const json = (path: string, value: unknown): void => server.serve(path, { body: JSON.stringify(value) })
  const { url } = server
  json('/provider-metadata.json', {
    canonical_url: `${url}/provider-metadata.json`,
    metadata_version: '2.0',
    publisher: { category: 'vendor', name: 'Acme', namespace: 'https://acme.example' },
    role: 'csaf_trusted_provider',
    distributions: [
      kind === 'directory'
        ? { directory_url: `${url}/csaf/` }
        : {
            rolie: {
              feeds: [
                { url: `${url}/rolie.json`, tlp_label: 'WHITE' },
                // For those who may see it, and nobody asks for it here.
                { url: `${url}/secret.json`, tlp_label: 'RED' },
              ],
            },
          },
    ],
  })
  server.serve('/csaf/index.txt', { body: documents.map(({ path }) => `${path}\n`).join('') })
  // One without a time is in the index alone.
  const changed = documents.filter(({ updated }) => updated !== '')
  server.serve('/csaf/changes.csv', { body: changed.map(({ path, updated }) => `"${path}","${updated}"\n`).join('') })
  json('/rolie.json', {
    feed: {
      id: 'acme',
      entry: documents.map(({ path, updated }) => ({
        id: path,
        updated,
        content: { type: 'application/json', src: `${url}/csaf/${path}` },
        link: [
          { rel: 'self', href: `${url}/csaf/${path}` },
          { rel: 'hash', href: `${url}/csaf/${path}.sha512` },
          { rel: 'signature', href: `${url}/csaf/${path}.asc` },
        ],
      })),
    },
  })
  for (const { path, body, signature, ...digests } of documents) {
    server.serve(`/csaf/${path}`, { body })
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const digest = digests[algorithm] ?? createHash(algorithm).update(body).digest('hex')
      server.serve(`/csaf/${path}.${algorithm}`, { body: `${digest}  ${path}\n` })
    }
    if (signature !== undefined) server.serve(`/csaf/${path}.asc`, { body: signature })
  }
}
