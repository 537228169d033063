import type { Scenario, Selection, Step } from './scenario.ts'

const HOUR = 3_600
const DAY = 24 * HOUR

const ONE: Selection = { first: 1 }
const ALL: Selection = { from: 0, to: 1 }

const at = (atSeconds: number, gateways: Selection, change: Step['change']): Step => ({ atSeconds, gateways, change })

/** A release is rolled out to the share of the fleet that these waves reach. */
const waves = (release: number, first: number, pause: number, ...shares: readonly number[]): Step[] =>
  shares.slice(1).map((to, wave) => {
    const from = shares[wave] ?? 0
    return at(first + wave * pause, { from, to }, { kind: 'release', release })
  })

/** From the second hour on: the first belongs to first reports and their approval. */
export const SCENARIOS = {
  steady: { title: 'nothing happens', durationSeconds: 2 * HOUR, steps: [], findings: [] },
  'roll-out': {
    title: 'release 2 reaches a tenth, then half, then nine of ten; the others are left behind',
    durationSeconds: 4 * HOUR,
    steps: waves(2, HOUR, HOUR, 0, 0.1, 0.5, 0.9),
    findings: ['boot.kernel-changed', 'boot.command-line-changed', 'packages.changed', 'system.changed'],
  },
  rollback: {
    title: 'one gateway goes to release 2 and back',
    durationSeconds: 3 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'release', release: 2 }), at(2 * HOUR, ONE, { kind: 'release', release: 1 })],
    findings: ['boot.kernel-changed', 'boot.command-line-changed', 'packages.changed', 'system.changed'],
  },
  listener: {
    title: 'a program opens a port on one gateway',
    durationSeconds: 2 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'listener', port: 4444, executable: '/tmp/nc' })],
    findings: ['sockets.listener-added'],
  },
  'package-drift': {
    title: 'somebody installs another version of one package by hand',
    durationSeconds: 2 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'package', name: 'package-003', version: '9.9-1' })],
    findings: ['packages.changed'],
  },
  'tampered-boot': {
    title: 'one gateway boots a foreign kernel',
    durationSeconds: 2 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'tampered-boot' })],
    findings: ['boot.kernel-changed'],
  },
  clone: {
    title: 'a copy of one gateway is started elsewhere',
    durationSeconds: 2 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'clone' })],
    findings: ['identity.clone'],
  },
  replay: {
    title: 'somebody sends the last messages of one gateway once more',
    durationSeconds: 2 * HOUR,
    steps: [at(HOUR, ONE, { kind: 'replay' })],
    findings: [],
  },
  'reconnect-storm': {
    title: 'the broker was away for an hour, and all gateways come back in one moment',
    durationSeconds: 3 * HOUR,
    steps: [at(HOUR, ALL, { kind: 'offline', seconds: HOUR, back: 'at-once' })],
    findings: [],
  },
  outage: {
    title: 'a third of the gateways is offline for two days',
    durationSeconds: 3 * DAY,
    steps: [at(HOUR, { from: 0, to: 1 / 3 }, { kind: 'offline', seconds: 2 * DAY, back: 'spread' })],
    findings: [],
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS
