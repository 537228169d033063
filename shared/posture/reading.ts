import type { SectionContents, SectionId } from './sections.ts'

/** Why a section does not exist on this system. */
export const NOT_SUPPORTED_REASONS = [
  'no-procfs',
  'no-package-database',
  'package-database-format',
  'no-apt',
  'no-update-manager',
  'no-platform-facts',
  'no-tpm',
  'no-agent',
] as const
export type NotSupportedReason = (typeof NOT_SUPPORTED_REASONS)[number]

/** Why a section that exists could not be looked at. */
export const NO_PERMISSION_REASONS = ['file-not-readable', 'directory-not-readable'] as const
export type NoPermissionReason = (typeof NO_PERMISSION_REASONS)[number]

/** Why a measurement ended without a result. */
export const FAILURE_CODES = ['sensor-fault', 'input-too-large', 'input-unreadable', 'input-malformed'] as const
export type FailureCode = (typeof FAILURE_CODES)[number]

/** What a section says: content, or why there is none. A section is never left out. */
export type SectionReading<S extends SectionId = SectionId> =
  | { readonly status: 'measured'; readonly content: SectionContents[S] }
  | { readonly status: 'not-supported'; readonly reason: NotSupportedReason }
  | { readonly status: 'no-permission'; readonly reason: NoPermissionReason }
  | { readonly status: 'failed'; readonly code: FailureCode }
