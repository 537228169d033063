/**
 * Kernel command lines (the kernel's Documentation/admin-guide/kernel-parameters.rst), as one text: whoever compares two
 * of them masks both.
 */

/** Stands for a value that each unit has for itself. No value holds these characters by itself. */
export const UNIT = '<unit>'

/** RFC 9562 section 4, upper or lower case, wherever it stands: `luks-…`, `rd.luks.uuid=…`, `/dev/disk/by-uuid/…`. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/**
 * Identifiers of other shapes, known by the parameter before them: UUID= and PARTUUID= of FAT, NTFS and MBR disks,
 * rd.luks.uuid= in parts (dracut.cmdline(7)), rd.md.uuid=, and systemd.machine_id= (systemd(1)).
 */
const OTHERS = [
  /(rd\.md\.uuid=)[0-9a-f][0-9a-f:]*(?![0-9a-z])/gi,
  /(uuid=(?:luks-)?|\/by-(?:part)?uuid\/)[0-9a-f][0-9a-f-]*(?![0-9a-z])/gi,
  /(machine_id=)[0-9a-f]{32}(?![0-9a-z])/gi,
] as const

/**
 * The command line without what differs between equal units: a section has to be equal on equal systems. LABEL= and
 * PARTLABEL= stay, and so do root hashes, which a whole fleet shares. What is lost: which of a unit's own file systems
 * is meant.
 */
export function maskUnitValues(commandLine: string): string {
  return OTHERS.reduce((masked, other) => masked.replace(other, `$1${UNIT}`), commandLine.replace(UUID, UNIT))
}

/** As the kernel separates parameters. Blanks within quotes separate too, so that this is for comparison only. */
export const wordsOf = (commandLine: string): readonly string[] =>
  commandLine.split(/\s+/).filter((word) => word !== '')

/** dm-verity as systemd-veritysetup-generator(8) and kernel-command-line(7) take it, older spellings included. */
const VERITY = /^(?:(?:mount\.)?(?:roothash|usrhash)(?:sig)?|systemd\.verity(?:_\w+)?)$/

export interface Parameter {
  readonly name: string
  readonly value: string
}

/** The parameters that say which root hashes the system was told to trust. */
export function verityParameters(commandLine: string): readonly Parameter[] {
  return wordsOf(commandLine).flatMap((word) => {
    const [name = '', ...value] = word.split('=')
    return VERITY.test(name) ? [{ name, value: value.join('=') }] : []
  })
}
