import type { Sbom } from '../../shared/sbom/component.ts'

/** What a release is made of, as somebody has handed it in for the content that the release had then. */
export interface ReleaseSbom {
  readonly releaseId: string
  readonly releaseDigest: Uint8Array
  /** SHA-256 of the document, in hexadecimal. */
  readonly digest: string
  readonly sbom: Sbom
  readonly importedAt: number
  readonly importedBy: string
  readonly importedByName: string
}
