import * as v from 'valibot'
import { hardeningFacts } from '../hardening-facts.ts'
import { MISSING, observation, type Observation } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const MAX_NAMES = 128
export const MAX_PROGRAMS = 256
export const MAX_MOUNTS = 64
export const MAX_SETTINGS = 128

const path = text(512)
const name = text(128)
/** SHA-256, in hexadecimal. */
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const list = <T>(item: v.GenericSchema<unknown, T>, max: number) => v.pipe(v.array(item), v.maxLength(max))

const profilesSchema = v.strictObject({
  /** How many are in each mode. */
  modes: list(v.strictObject({ mode: name, count }), 16),
  /** Those in any mode but `enforce` and `kill`, by name; more of them than these are only counted. */
  notEnforced: list(path, MAX_NAMES),
  /** Of all names with their modes. */
  digest,
})

const macSchema = v.strictObject({
  /** Linux security modules in the order in which they are asked, separated by commas. */
  modules: observation(text(256)),
  appArmor: observation(v.picklist(['enabled', 'disabled'])),
  profiles: observation(profilesSchema),
  seLinux: observation(v.picklist(['enforcing', 'permissive', 'disabled'])),
  /** What SELinux is to be at the next boot, and with which policy. */
  seLinuxConfigured: observation(v.strictObject({ mode: name, policy: name })),
})

/** Options that take something away from whoever can write there. */
export const MOUNT_OPTIONS = ['ro', 'nosuid', 'nodev', 'noexec', 'hidepid=1', 'hidepid=2', 'hidepid=4'] as const

const mountsSchema = v.strictObject({
  /** Whose mounts these are: those of process 1, or those of the agent, which its service may have changed. */
  source: v.picklist(['init', 'own']),
  points: list(v.strictObject({ point: path, type: name, options: list(v.picklist(MOUNT_OPTIONS), 7) }), MAX_MOUNTS),
  malformed: count,
})

/** `file`: within a file system, which may be encrypted itself. `memory`: compressed, and not on a disk. */
export const SWAP_KINDS = ['encrypted', 'plain', 'file', 'memory'] as const

export const OWNER_CLASSES = ['root', 'system', 'user'] as const
const owner = v.picklist(OWNER_CLASSES)

const programSchema = v.strictObject({
  path,
  /** Permission bits in octal, with those for set-user-id (4000) and set-group-id (2000). */
  mode: v.pipe(v.string(), v.regex(/^[0-7]{4}$/)),
  owner,
  group: owner,
})

/** Who beside root can replace what is run under this name. */
export const WRITABLE_BY = ['everybody', 'group', 'owner'] as const

const programsSchema = v.strictObject({
  setId: list(programSchema, MAX_PROGRAMS),
  /** Of all of them, where there are more than are listed. */
  setIdCut: v.exactOptional(v.strictObject({ total: count, digest })),
  writable: list(v.strictObject({ path, by: v.picklist(WRITABLE_BY) }), MAX_PROGRAMS),
  writableCut: v.exactOptional(v.strictObject({ total: count, digest })),
  /** Directories, and links of the PATH, that could not be looked at. */
  unread: list(v.strictObject({ path, why: v.picklist([...MISSING, 'other-file-system']) }), MAX_NAMES),
  /** There were more directories or files than are looked at. */
  limited: v.boolean(),
})

const loginSchema = v.strictObject({
  terminal: name,
  /** `shell` and `automatic`: without a password. */
  kind: v.picklist(['login', 'shell', 'automatic']),
})

const schema = v.strictObject({
  mac: macSchema,
  /** Executables that listen beyond loopback while no module confines them. `absent`: no module is there to confine. */
  unconfined: observation(list(path, MAX_NAMES)),
  mounts: observation(mountsSchema),
  /** Empty: none. */
  swap: observation(list(v.picklist(SWAP_KINDS), 4)),
  /** Those of ../kernel-settings.ts. */
  settings: list(v.strictObject({ name, value: observation(name) }), MAX_SETTINGS),
  coreDumps: v.strictObject({
    /** kernel.core_pattern */
    pattern: observation(text(256)),
    /** Storage= of coredump.conf(5); `absent`: systemd-coredump is not configured. */
    storage: observation(name),
    /** Soft and hard limit of process 1, which its services begin with. */
    limit: observation(name),
  }),
  programs: programsSchema,
  usb: v.strictObject({
    /** authorized_default of the root hubs, each value once: 0 refuses new devices. */
    authorizedDefault: observation(list(name, 8)),
    usbguard: v.picklist(['absent', 'masked', 'disabled', 'enabled', 'stopped', 'unknown']),
    /** Whether modprobe.d(5) keeps usb-storage from being loaded. */
    storage: observation(v.picklist(['blocked', 'allowed'])),
  }),
  debug: v.strictObject({
    /** Terminals that the kernel writes its messages to. */
    consoles: observation(list(name, 16)),
    /** Serial and other terminals on which a login or a shell is started, apart from the virtual ones. */
    logins: observation(list(loginSchema, 32)),
    /** debugfs is mounted. */
    debugFileSystem: observation(v.boolean()),
    /** kgdboc, the kernel's debugger on a terminal, is set up. */
    kernelDebugger: observation(v.boolean()),
    /** /dev/mem, by CONFIG_STRICT_DEVMEM of the running kernel. */
    memoryDevice: observation(v.picklist(['none', 'restricted', 'open'])),
  }),
})

export type HardeningContent = v.InferOutput<typeof schema>
export type AppArmorProfiles = v.InferOutput<typeof profilesSchema>
export type Mounts = v.InferOutput<typeof mountsSchema>
export type MountOption = (typeof MOUNT_OPTIONS)[number]
export type Programs = v.InferOutput<typeof programsSchema>
export type SetIdProgram = v.InferOutput<typeof programSchema>
export type WritableProgram = Programs['writable'][number]
export type TerminalLogin = v.InferOutput<typeof loginSchema>

function sorted<T>(observed: Observation<T[]>, key: (entry: T) => string): Observation<T[]> {
  return 'missing' in observed ? observed : { value: sortedUnique(observed.value, key) }
}
const mapped = <T>(observed: Observation<T>, change: (value: T) => T): Observation<T> =>
  'missing' in observed ? observed : { value: change(observed.value) }
const itself = (word: string): string => word

export const hardening: SectionDefinition<HardeningContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    mac: {
      ...content.mac,
      profiles: mapped(content.mac.profiles, (profiles) => ({
        ...profiles,
        modes: sortedUnique(profiles.modes, (one) => keyOf(one.mode, one.count)),
        notEnforced: sortedTexts(profiles.notEnforced),
      })),
    },
    unconfined: sorted(content.unconfined, itself),
    mounts: mapped(content.mounts, (mounts) => ({
      ...mounts,
      points: sortedUnique(
        mounts.points.map((one) => ({ ...one, options: sortedUnique(one.options, itself) })),
        (one) => keyOf(one.point, one.type, ...one.options),
      ),
    })),
    swap: sorted(content.swap, itself),
    settings: sortedUnique(content.settings, ({ name: what, value }) =>
      keyOf(what, 'missing' in value ? `(${value.missing})` : value.value, 'missing' in value),
    ),
    programs: {
      ...content.programs,
      setId: sortedUnique(content.programs.setId, (one) => keyOf(one.path, one.mode, one.owner, one.group)),
      writable: sortedUnique(content.programs.writable, (one) => keyOf(one.path, one.by)),
      unread: sortedUnique(content.programs.unread, (one) => keyOf(one.path, one.why)),
    },
    usb: { ...content.usb, authorizedDefault: sorted(content.usb.authorizedDefault, itself) },
    debug: {
      ...content.debug,
      consoles: sorted(content.debug.consoles, itself),
      logins: sorted(content.debug.logins, (one) => keyOf(one.terminal, one.kind)),
    },
  }),
  facts: hardeningFacts,
}
