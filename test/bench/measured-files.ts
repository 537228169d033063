import type { ImaSpec } from '../support/ima-builder.ts'

/** Entries as a kernel lists them: the boot aggregate, then files with paths of usual length. */
export const measuredFiles = (count: number): ImaSpec[] =>
  Array.from({ length: count }, (_, index) =>
    index === 0
      ? { path: 'boot_aggregate', content: 'PCRs 0 to 9' }
      : { path: `/usr/lib/x86_64-linux-gnu/module-${index}/lib${index}.so.6`, template: 'ima-sig' },
  )
