/** Why an answer is not used. */
export const REFUSALS = [
  /** The socket or its directory belongs to somebody else, or others may write there. */
  'untrusted-socket',
  /** The agent may not connect. */
  'no-permission',
  /** The connection broke, or closed without an answer. */
  'no-answer',
  'late',
  'too-large',
  /** Not what the protocol and the schemas of the sections say. */
  'malformed',
  /** Of another boot, or of another root directory. */
  'other-system',
] as const

export type Refusal = (typeof REFUSALS)[number]

/** What became of a question. `absent`: no helper is configured, or none is there. */
export type Asked<T> =
  | { readonly status: 'answered'; readonly answer: T }
  | { readonly status: 'absent'; readonly detail: string }
  | { readonly status: 'refused'; readonly reason: Refusal; readonly detail: string }

export const refused = (reason: Refusal, detail: string): Extract<Asked<never>, { status: 'refused' }> => ({
  status: 'refused',
  reason,
  detail,
})

export const absent = (detail: string): Extract<Asked<never>, { status: 'absent' }> => ({ status: 'absent', detail })
