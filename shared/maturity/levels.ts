/** How thoroughly a practice is applied; each level presumes all below. A level is stated by its number, 0 to 4. */
export const LEVEL_NAMES = ['none', 'minimum', 'ad hoc', 'consistent', 'formalized'] as const

/** How closely a practice is fitted to its use, narrowest fit last. Independent of the level. */
export const SCOPES = ['general', 'industry', 'system'] as const
export type Scope = (typeof SCOPES)[number]
