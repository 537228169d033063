import { signal } from '@preact/signals'
import { dateTime, relative } from '../i18n/text.ts'

const now = signal(Date.now())
setInterval(() => (now.value = Date.now()), 10_000)

/** How long ago, with the moment itself for whoever points at it. */
export const Ago = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={dateTime(at)}>
    {relative(at, now.value)}
  </time>
)
