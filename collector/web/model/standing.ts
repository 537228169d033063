import type { Device, Fleet, Standing } from '../core/types.ts'

/** How something is shown: a colour, and a sign that says the same without it. */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet'

/** Tiles, in the order of what needs an act. */
export const TILES = [
  'failed',
  'silent',
  'drifted',
  'pending',
  'not-appraised',
  'never-seen',
  'stale',
  'good',
  'not-covered',
] as const
export type Tile = (typeof TILES)[number]

const TONES: Readonly<Record<Standing | 'not-covered', Tone>> = {
  failed: 'bad',
  silent: 'bad',
  drifted: 'warn',
  pending: 'warn',
  'not-appraised': 'quiet',
  'never-seen': 'quiet',
  stale: 'warn',
  good: 'good',
  revoked: 'quiet',
  'not-covered': 'quiet',
}
export const toneOf = (standing: Standing | 'not-covered'): Tone => TONES[standing]

export const tileCount = (fleet: Fleet, tile: Tile): number =>
  tile === 'not-covered' ? fleet.notCovered : fleet.standings[tile]

/** The word for one device, as the collector's list has it: the first that holds, so that silence hides no failure. */
export function standingOf(device: Pick<Device, 'enrolment' | 'latch' | 'verdict' | 'liveness'>): Standing {
  if (device.enrolment === 'revoked') return 'revoked'
  if (device.enrolment === 'pending') return 'pending'
  if (device.latch !== 'none' || device.verdict === 'contraindicated') return 'failed'
  if (device.liveness === 'never-seen') return 'never-seen'
  if (device.liveness === 'silent') return 'silent'
  if (device.verdict === 'warning') return 'drifted'
  if (device.verdict === 'not-appraised') return 'not-appraised'
  return device.liveness === 'stale' ? 'stale' : 'good'
}

const AXIS_TONES: Readonly<Record<string, Tone>> = {
  affirming: 'good',
  fresh: 'good',
  none: 'good',
  active: 'good',
  covered: 'good',
  contraindicated: 'bad',
  failed: 'bad',
  silent: 'bad',
  warning: 'warn',
  stale: 'warn',
  'recovered-unacknowledged': 'warn',
  pending: 'warn',
}

/** Of a value of one axis. What is not known is never good. */
export const axisTone = (value: string): Tone => AXIS_TONES[value] ?? 'quiet'
