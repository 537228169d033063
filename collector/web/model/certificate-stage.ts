/** The way that a certificate goes; where it is, and where it was before. */
export const CERTIFICATE_STAGES = ['draft', 'issued', 'conditional', 'suspended', 'ended'] as const
export type CertificateStage = (typeof CERTIFICATE_STAGES)[number]

const OF_STATE: Readonly<Record<string, CertificateStage>> = {
  draft: 'draft',
  valid: 'issued',
  'valid-with-conditions': 'conditional',
  suspended: 'suspended',
  superseded: 'ended',
  withdrawn: 'ended',
  abandoned: 'ended',
}

/** Its end by its own dates is no decision, and ends it all the same. Undefined for a state of a later collector. */
export const stageOf = ({
  state,
  expired,
}: {
  readonly state: string
  readonly expired: boolean
}): CertificateStage | undefined => (expired && state !== 'draft' ? 'ended' : OF_STATE[state])
