import { releaseBoot, tamperedBoot, type SimulatedBoot } from '../boot/boot.ts'
import type { SectionContents } from '../../../shared/posture/sections.ts'
import { postureOf, withContent, type Readings, type SimulatedPosture } from './posture.ts'

/** One release of the simulated product. */
export interface Release {
  readonly version: string
  readonly posture: SimulatedPosture
  readonly boot: SimulatedBoot
  /** The same with a kernel that is not the release's. */
  readonly tampered: SimulatedBoot
}

/** About as many packages as a small Debian system has. */
const PACKAGES = 180

type Listener = SectionContents['sockets']['listeners'][number]

const listener = (port: number, executable: string, packageName?: string): Listener => ({
  protocol: 'tcp',
  family: 'ipv4',
  scope: 'any',
  address: '0.0.0.0',
  port,
  interfaces: [],
  owner: 'known',
  programs: [
    packageName === undefined
      ? { executable, origin: 'none' }
      : { executable, origin: 'package', package: packageName },
  ],
})

/** Every tenth package is one that a release brings in another version. */
const versionOf = (index: number, release: number): string =>
  index % 10 === 0 ? `1.${release}-${index}` : `1.0-${index}`

function readingsOf(release: number): Readings {
  const listeners = [listener(22, '/usr/sbin/sshd', 'package-001'), listener(443, '/usr/bin/gateway', 'package-002')]
  const packages = Array.from({ length: PACKAGES }, (_, index) => ({
    name: `package-${String(index).padStart(3, '0')}`,
    architecture: 'arm64',
    version: versionOf(index, release),
  }))
  return {
    sockets: {
      status: 'measured',
      content: {
        listeners,
        tables: ['tcp', 'tcp6', 'udp', 'udp6'],
        owners: 'visible',
        namespaces: 'visible',
        bindings: 'visible',
        vsock: 'visible',
        truncated: false,
        total: listeners.length,
        malformed: 0,
      },
    },
    packages: {
      status: 'measured',
      content: { manager: 'dpkg', packages, total: packages.length, malformed: 0, incomplete: false },
    },
    system: {
      status: 'measured',
      content: {
        os: { value: { id: 'simulated', name: 'Simulated Gateway OS', versionId: `${release}.0` } },
        kernel: {
          release: { value: kernelOf(release) },
          machine: { value: 'aarch64' },
          build: { value: `SIMULATED #${release} SMP` },
        },
      },
    },
  }
}

const kernelOf = (release: number): string => `6.1.${release}`

const made = new Map<number, Release>()

/** Release `number`, from 1. Made once, whoever asks. */
export function releaseOf(number: number): Release {
  const known = made.get(number)
  if (known !== undefined) return known
  const release: Release = {
    version: `${number}.0`,
    posture: postureOf(readingsOf(number)),
    boot: releaseBoot(kernelOf(number)),
    tampered: tamperedBoot(kernelOf(number)),
  }
  made.set(number, release)
  return release
}

/** A program listens on a port on which nobody listened. */
export const withListener = (readings: Readings, port: number, executable: string): Readings =>
  withContent(readings, 'sockets', (content) => ({
    ...content,
    listeners: [...content.listeners, listener(port, executable)],
    total: content.total + 1,
  }))

/** A package is there in that version, whether it was there before or not. */
export const withPackage = (readings: Readings, name: string, version: string): Readings =>
  withContent(readings, 'packages', (content) => {
    const others = content.packages.filter((entry) => entry.name !== name)
    const packages = [...others, { name, architecture: 'arm64', version }]
    return { ...content, packages, total: packages.length }
  })
