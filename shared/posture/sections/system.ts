import * as v from 'valibot'
import { describe, observation } from '../observation.ts'
import type { SectionDefinition } from '../section-definition.ts'
import { text } from '../text.ts'

/** os-release(5) fields that identify the operating system; none of them differs between units of one image. */
export const OS_FIELDS = {
  id: 'ID',
  idLike: 'ID_LIKE',
  name: 'NAME',
  prettyName: 'PRETTY_NAME',
  version: 'VERSION',
  versionId: 'VERSION_ID',
  versionCodename: 'VERSION_CODENAME',
  variantId: 'VARIANT_ID',
  buildId: 'BUILD_ID',
  imageId: 'IMAGE_ID',
  imageVersion: 'IMAGE_VERSION',
  supportEnd: 'SUPPORT_END',
} as const

const field = v.exactOptional(text(256))

const osSchema = v.strictObject({
  id: field,
  idLike: field,
  name: field,
  prettyName: field,
  version: field,
  versionId: field,
  versionCodename: field,
  variantId: field,
  buildId: field,
  imageId: field,
  imageVersion: field,
  supportEnd: field,
})

const schema = v.strictObject({
  os: observation(osSchema),
  kernel: v.strictObject({
    /** `uname -r` */
    release: observation(text(256)),
    /** `uname -m`; the kernel shows it in a file since Linux 6.1. */
    machine: observation(text(64)),
    /** The kernel's own banner: who built it when, with which compiler. */
    build: observation(text(1024)),
  }),
})

export type OsRelease = v.InferOutput<typeof osSchema>
export type SystemContent = v.InferOutput<typeof schema>

export const system: SectionDefinition<SystemContent> = {
  schema,
  canonical: (content) => content,
  facts: ({ os, kernel }) => [
    ...('missing' in os
      ? [{ subject: 'os', value: describe(os) }]
      : [
          { subject: 'os', value: 'known' },
          ...Object.entries(os.value).map(([name, value]) => ({ subject: `os.${name}`, value })),
        ]),
    { subject: 'kernel.release', value: describe(kernel.release) },
    { subject: 'kernel.machine', value: describe(kernel.machine) },
    { subject: 'kernel.build', value: describe(kernel.build) },
  ],
}
