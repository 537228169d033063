/** How closely a practice is fitted to its use, narrowest fit last. Independent of the level. */
export const SCOPES = ['general', 'industry', 'system'] as const
export type Scope = (typeof SCOPES)[number]
