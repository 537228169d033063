/** Of bills of materials. Part of ./errors.ts. */
export const sbomErrors = {
  'sbom.malformed': {
    title: 'a bill of materials is not as its format says',
    remedy:
      'Correct the place named in the message, or tell the tool that wrote it. Nothing of the document was taken.',
  },
  'sbom.too-large': {
    title: 'a bill of materials is larger than any real one',
    remedy: 'Leave files out of it, and keep components: 20,000 components and 32 MiB are taken at most.',
  },
  'sbom.format-unknown': {
    title: 'a file is in no format of bills of materials that is known here',
    remedy: 'Write it as JSON: CycloneDX 1.2 to 1.7, or SPDX 2.2 or 2.3. Other forms of SPDX can be converted.',
  },
} as const
