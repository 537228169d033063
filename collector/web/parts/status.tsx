import type { ComponentChildren } from 'preact'
import type { Tone } from '../model/standing.ts'

/** A sign for each tone: whoever sees no colour sees another shape. */
const PATHS: Readonly<Record<Tone, string>> = {
  good: 'M2.5 8.5l3.5 3.5 7.5-8',
  bad: 'M3.5 3.5l9 9m0-9l-9 9',
  warn: 'M8 2.5v7m0 3.2v.8',
  quiet: 'M3.5 8h9',
}

export const Sign = ({ tone }: { readonly tone: Tone }) => (
  <svg class={`sign ${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d={PATHS[tone]} />
  </svg>
)

export const Status = ({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) => (
  <span class={`status ${tone}`}>
    <Sign tone={tone} />
    <span>{children}</span>
  </span>
)
