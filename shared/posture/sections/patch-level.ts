import type { FindingCode } from '../../codes/findings.ts'
import * as v from 'valibot'
import { describe, MISSING, observation, type Observation } from '../observation.ts'
import { keyOf, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'
import { PACKAGE_NAME, PACKAGE_VERSION } from './packages.ts'

export const MAX_PENDING = 512
export const MAX_LISTS = 256
export const MAX_BOOT_PROGRAMS = 256
export const IMAGE_MECHANISMS = ['rauc', 'swupdate', 'mender', 'ostree'] as const

const name = v.pipe(v.string(), v.regex(PACKAGE_NAME))
const version = v.pipe(v.string(), v.regex(PACKAGE_VERSION))
const date = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))

const pendingSchema = v.strictObject({
  name,
  architecture: v.exactOptional(name),
  installed: version,
  /** What the package manager would install by its default rules. */
  candidate: version,
  /** A version newer than the installed one comes from a list of security updates. */
  security: v.boolean(),
})

const listSchema = v.strictObject({
  /** As the package manager names the file that it has downloaded. */
  name: text(512),
  /** `compressed`: in a format that the agent does not read. `not-enabled`: no source names it any more. */
  status: v.picklist(['read', 'compressed', 'not-enabled', ...MISSING]),
  security: v.boolean(),
})

/** Whose downloaded lists tell of updates. */
export const LISTING_MANAGERS = ['apt', 'apk', 'opkg', 'dnf'] as const

const updatesSchema = v.strictObject({
  manager: v.picklist(LISTING_MANAGERS),
  /** By name, and cut at a bound. The numbers below are of all. */
  pending: v.pipe(v.array(pendingSchema), v.maxLength(MAX_PENDING)),
  total: count,
  security: count,
  /** Whether the lists tell which updates are for security. Where they do not, none is marked, and any may be. */
  securityTold: v.boolean(),
  /** What was compared. Updates in a list that is not `read` are not seen. */
  lists: v.pipe(v.array(listSchema), v.maxLength(MAX_LISTS)),
  /** Lists beyond the bound, which are not named above, and not read where there are very many. */
  unnamed: count,
  /** Versions in the lists that are none, of packages that are installed. */
  incomparable: count,
  /**
   * There are preferences (pins, priorities, exclusions, locks), which are not followed: another version, or none, may
   * be the candidate.
   */
  pins: v.boolean(),
})

const kernelSchema = v.strictObject({
  /** `unlisted`: none of the installed kernels is the running one. */
  running: v.picklist(['newest', 'older', 'unlisted']),
  /** The newest installed one of the running one's kind, where it is another. */
  newest: v.exactOptional(text(256)),
})

const supportSchema = v.strictObject({
  end: date,
  extendedEnd: v.exactOptional(date),
  /** `os-release`: the distribution itself says so in SUPPORT_END. */
  source: v.picklist(['os-release', 'table']),
})

const imageSchema = v.strictObject({
  mechanism: v.picklist(IMAGE_MECHANISMS),
  /** What is installed, by name: the image, or each component of it. */
  versions: v.pipe(v.array(v.strictObject({ name: text(128), version: text(256) })), v.maxLength(64)),
})

const bootProgramSchema = v.strictObject({
  /** What told it, or the program's file and the component of it. */
  name: text(256),
  version: text(256),
})
const bootPrograms = v.pipe(v.array(bootProgramSchema), v.maxLength(MAX_BOOT_PROGRAMS))

const schema = v.strictObject({
  updates: observation(updatesSchema),
  /** `absent`: no kernel is installed here, as in a container. */
  kernel: observation(kernelSchema),
  /** `not-flagged`: nobody has asked for a reboot, which not every system does. */
  reboot: observation(v.picklist(['required', 'not-flagged'])),
  /** `absent`: not known for this distribution and release. */
  support: observation(supportSchema),
  /** `absent`: not updated as an image by any of the mechanisms that are known here. */
  images: observation(v.pipe(v.array(imageSchema), v.minLength(1), v.maxLength(IMAGE_MECHANISMS.length))),
  /** What started the kernel. `absent`: it does not tell its version. The firmware's own is in the section `boot`. */
  bootLoader: observation(bootPrograms),
  /** What the firmware can start from the EFI system partition. `absent`: there is none, or it is not mounted. */
  efiPrograms: observation(bootPrograms),
})

export type PendingUpdate = v.InferOutput<typeof pendingSchema>
export type PackageList = v.InferOutput<typeof listSchema>
export type Updates = v.InferOutput<typeof updatesSchema>
export type KernelState = v.InferOutput<typeof kernelSchema>
export type Support = v.InferOutput<typeof supportSchema>
export type Image = v.InferOutput<typeof imageSchema>
export type BootProgram = v.InferOutput<typeof bootProgramSchema>
export type PatchLevelContent = v.InferOutput<typeof schema>

const SUBJECTS = {
  security: 'security updates',
  other: 'other updates',
  unclassified: 'unclassified updates',
  lists: 'package lists',
  kernel: 'running kernel',
  reboot: 'reboot',
  support: 'end of support',
  image: 'image',
  bootLoader: 'boot loader',
  efiPrograms: 'EFI programs',
} as const

const allKinds = (code: FindingCode) => ({ added: code, changed: code, removed: code })
const gone = 'patch-level.updates-gone'

/** What a change of each subject is; lists and images by the word that theirs begin with. */
const CODES: readonly (readonly [subject: string, codes: Required<Fact>['codes']])[] = [
  [SUBJECTS.security, { ...allKinds('patch-level.security-updates-pending'), removed: gone }],
  [SUBJECTS.other, { ...allKinds('patch-level.updates-pending'), removed: gone }],
  [SUBJECTS.unclassified, { ...allKinds('patch-level.unclassified-updates-pending'), removed: gone }],
  [SUBJECTS.kernel, allKinds('patch-level.reboot-changed')],
  [SUBJECTS.reboot, allKinds('patch-level.reboot-changed')],
  [SUBJECTS.support, allKinds('patch-level.support-changed')],
  [SUBJECTS.lists, allKinds('patch-level.lists-changed')],
  [SUBJECTS.image, allKinds('patch-level.image-changed')],
  [SUBJECTS.bootLoader, allKinds('patch-level.boot-loader-changed')],
  [SUBJECTS.efiPrograms, allKinds('patch-level.boot-loader-changed')],
]

function withCodes(fact: Fact): Fact {
  const codes = CODES.find(([subject]) => fact.subject.startsWith(subject))?.[1]
  return codes === undefined ? fact : { ...fact, codes }
}

const pendingText = ({ name: what, architecture, installed, candidate }: PendingUpdate): string =>
  `${architecture === undefined ? what : `${what}:${architecture}`} ${installed} to ${candidate}`

/** All pending updates are one statement: an archive that publishes fifty at once is one thing to act on, not fifty. */
function updateFacts(updates: Updates): Fact[] {
  const { manager, pending, total, security, securityTold, lists, unnamed, incomparable, pins } = updates
  const isCut = pending.length < total
  const other = securityTold ? SUBJECTS.other : SUBJECTS.unclassified
  return [
    ...pending.map((one) => ({ subject: one.security ? SUBJECTS.security : other, value: pendingText(one) })),
    ...(isCut || security !== pending.filter((one) => one.security).length
      ? [{ subject: SUBJECTS.security, value: `${security} in all` }]
      : []),
    ...(total === pending.length ? [] : [{ subject: other, value: `${total} with security updates` }]),
    {
      subject: SUBJECTS.lists,
      value:
        `of ${manager}, security updates ${securityTold ? 'told' : 'not told'}, more lists ${unnamed}, ` +
        `incomparable versions ${incomparable}, pins ${pins ? 'present' : 'none'}`,
    },
    ...lists.map((list) => ({
      subject: `${SUBJECTS.lists} ${list.name}`,
      value: list.security ? `${list.status}, security updates` : list.status,
    })),
  ]
}

const kernelText = ({ running, newest }: KernelState): string =>
  newest === undefined ? running : `${running}, newest is ${JSON.stringify(newest)}`

const supportText = ({ end, extendedEnd, source }: Support): string =>
  [end, extendedEnd === undefined ? undefined : `extended ${extendedEnd}`, `from ${source}`]
    .filter((part) => part !== undefined)
    .join(', ')

const imageText = ({ versions }: Image): string =>
  versions.length === 0
    ? 'no version told'
    : versions.map((one) => `${JSON.stringify(one.name)} ${JSON.stringify(one.version)}`).join(', ')

type BootPrograms = Observation<BootProgram[]>

const canonicalPrograms = (programs: BootPrograms): BootPrograms =>
  'missing' in programs ? programs : { value: sortedUnique(programs.value, (one) => keyOf(one.name, one.version)) }

/** One statement of all: an update of a boot loader replaces several files at once. */
const programsText = (programs: BootProgram[]): string =>
  programs.length === 0
    ? 'none'
    : programs.map((one) => `${JSON.stringify(one.name)} ${JSON.stringify(one.version)}`).join(', ')

export const patchLevel: SectionDefinition<PatchLevelContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    updates:
      'missing' in content.updates
        ? content.updates
        : {
            value: {
              ...content.updates.value,
              pending: sortedUnique(content.updates.value.pending, (one) =>
                keyOf(one.name, one.architecture, one.installed, one.candidate, one.security),
              ),
              lists: sortedUnique(content.updates.value.lists, (list) => keyOf(list.name, list.status, list.security)),
            },
          },
    images:
      'missing' in content.images
        ? content.images
        : {
            value: sortedUnique(
              content.images.value.map((image) => ({
                ...image,
                versions: sortedUnique(image.versions, (one) => keyOf(one.name, one.version)),
              })),
              (image) => keyOf(image.mechanism, imageText(image)),
            ),
          },
    bootLoader: canonicalPrograms(content.bootLoader),
    efiPrograms: canonicalPrograms(content.efiPrograms),
  }),
  facts: ({ updates, kernel, reboot, support, images, bootLoader, efiPrograms }) =>
    [
      ...('missing' in updates ? [{ subject: SUBJECTS.lists, value: describe(updates) }] : updateFacts(updates.value)),
      { subject: SUBJECTS.kernel, value: describe(kernel, kernelText) },
      { subject: SUBJECTS.reboot, value: describe(reboot) },
      { subject: SUBJECTS.support, value: describe(support, supportText) },
      ...('missing' in images
        ? [{ subject: SUBJECTS.image, value: describe(images) }]
        : images.value.map((image) => ({
            subject: `${SUBJECTS.image} ${image.mechanism}`,
            value: imageText(image),
          }))),
      { subject: SUBJECTS.bootLoader, value: describe(bootLoader, programsText) },
      { subject: SUBJECTS.efiPrograms, value: describe(efiPrograms, programsText) },
    ].map(withCodes),
}
