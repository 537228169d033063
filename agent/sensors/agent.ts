import type { Host } from './host.ts'
import { required } from './required.ts'
import type { Reading, Sensor } from './sensor.ts'

function measure(host: Host): Reading<'agent'> {
  const content = required(host.self(), 'the agent itself', 'file')
  return content === undefined ? { status: 'not-supported', reason: 'no-agent' } : { status: 'measured', content }
}

export const agentSensor: Sensor<'agent'> = {
  id: 'agent',
  title: 'the agent itself',
  section: 'agent',
  reads: 'its own program and the native binding beside it, its options in force, its command line and NODE_OPTIONS',
  needs: 'read permission for its own program',
  blindSpots:
    'an agent that was changed can say of itself what it likes: measure its files with IMA or dm-verity too; the ' +
    'program of Node itself, which belongs to a package or to the image; the single files of a working copy; ' +
    'libraries that are loaded into it from outside (LD_PRELOAD)',
  budget: { cpuMs: 5 },
  remedy: 'Install the agent from its package, as one file with the binding beside it.',
  measure,
}
