import type { Observation } from '../../../shared/posture/observation.ts'
import type { Image } from '../../../shared/posture/sections/patch-level.ts'
import type { Host } from '../host.ts'
import { printable, printableWord } from '../text.ts'
import { RAUC_CONFIGURATION, RAUC_READS, raucVersions } from './rauc.ts'

const COMMAND_LINE = '/proc/cmdline'
const SWUPDATE = '/etc/sw-versions'
const MENDER = ['/etc/mender/artifact_info', '/etc/mender/mender.conf'] as const
const MAX_BYTES = 64 * 1024
const MAX_VERSIONS = 64

export const IMAGES_READS = [COMMAND_LINE, RAUC_READS, SWUPDATE, ...MENDER].join(', ')

export interface Images {
  readonly images: Observation<Image[]>
  /** Which of two slots runs: differs between units of one image, so it is no part of a section. */
  readonly slot: string | undefined
}

/** By which mechanisms the whole system is replaced at once, and what they say is installed. */
export function readImages(host: Host): Images {
  const commandLine = host.readText(COMMAND_LINE, MAX_BYTES)
  const words = commandLine.status === 'found' ? commandLine.value.split(/\s+/) : []
  const argument = (name: string): string | undefined =>
    words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
  const images: Image[] = []
  const slot = argument('rauc.slot')
  if (slot !== undefined || host.stat(RAUC_CONFIGURATION).status !== 'absent') {
    images.push({ mechanism: 'rauc', versions: raucVersions(host, slot).slice(0, MAX_VERSIONS) })
  }
  const software = readLines(host, SWUPDATE)
  if (software !== undefined) images.push({ mechanism: 'swupdate', versions: softwareVersions(software) })
  const artifact = readLines(host, MENDER[0])
  if (artifact !== undefined || host.stat(MENDER[1]).status !== 'absent') {
    images.push({ mechanism: 'mender', versions: menderVersions(artifact ?? []) })
  }
  const deployment = argument('ostree')
  if (deployment !== undefined) images.push({ mechanism: 'ostree', versions: ostreeVersions(deployment) })
  if (images.length > 0) return { images: { value: images }, slot: slot && printableWord(slot, 64) }
  const isHidden = commandLine.status !== 'found' && commandLine.status !== 'absent'
  return { images: { missing: isHidden ? commandLine.status : 'absent' }, slot: undefined }
}

/** Undefined where there is no such file; no lines where it cannot be read. */
function readLines(host: Host, path: string): string[] | undefined {
  const file = host.readText(path, MAX_BYTES)
  if (file.status === 'absent') return undefined
  return file.status === 'found' ? file.value.split('\n').filter((line) => line.trim() !== '') : []
}

const named = (name: string, version: string) => ({ name: printable(name, 128), version: printable(version, 256) })

/** SWUpdate, "sw-versions": a name and a version on each line. */
const softwareVersions = (lines: readonly string[]): Image['versions'] =>
  lines.slice(0, MAX_VERSIONS).map((line) => {
    const [name = '', ...version] = line.trim().split(/\s+/)
    return named(name, version.join(' '))
  })

/** Mender, "artifact_info": artifact_name=... and, with newer clients, artifact_group=... */
const menderVersions = (lines: readonly string[]): Image['versions'] =>
  lines.slice(0, MAX_VERSIONS).flatMap((line) => {
    const match = /^\s*(artifact_name|artifact_group)\s*=\s*(.*?)\s*$/.exec(line)
    return match === null ? [] : [named(match[1] ?? '', match[2] ?? '')]
  })

/** ostree(1): /ostree/boot.N/OS/CHECKSUM/SERIAL, where N and SERIAL change with each deployment. */
function ostreeVersions(path: string): Image['versions'] {
  const match = /^\/ostree\/boot\.\d+(?:\.\d+)?\/([^/]+)\/([0-9a-f]+)\/\d+$/.exec(path)
  return match === null ? [] : [named(match[1] ?? '', match[2] ?? '')]
}
