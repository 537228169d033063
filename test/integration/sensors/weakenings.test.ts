import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Deviation } from '../../../collector/appraisal/context.ts'
import { findings } from '../../../shared/codes/findings.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { AccessContent } from '../../../shared/posture/sections/access.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import type { SectionId } from '../../../shared/posture/sections.ts'
import { ApartMachine } from '../../support/apart-machine.ts'
import { appraisalOf, approvalOf } from '../../support/appraising.ts'
import { install, loadFirewall, SOCKET, WEAKENINGS } from '../../support/shipped-gateway.ts'
import { SoftwareDevice, type Readings } from '../../support/software-device.ts'

const script = new URL('../../../deploy/bundle/build-agent.mjs', import.meta.url).href
const { buildAgent } = (await import(script)) as { buildAgent: (directory: string) => Promise<unknown> }

const NOBODY = 65_534
/** As the units start them. */
const FLAGS = ['--jitless'] as const
/** The service of the agent: a user without privileges, who cannot get any. */
const AS_AGENT = [
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
  '--no-new-privs',
  '--bounding-set=-all',
  '--inh-caps=-all',
  '--',
] as const
/** CapabilityBoundingSet= and NoNewPrivileges= of deploy/systemd/keepseal-measure@.service. */
const AS_HELPER = [
  '--no-new-privs',
  '--bounding-set=-all,+dac_read_search,+sys_ptrace,+net_admin',
  '--inh-caps=-all',
  '--',
] as const

/** How doctor says that the helper is started. */
const ENABLE = 'systemctl enable --now keepseal-measure.socket'

interface Printed {
  readonly sections: Readonly<
    Record<SectionId, { digest: string; by: string; status: string; content?: Readonly<Record<string, unknown>> }>
  >
}

/** What doctor says, by the id of the check. */
type Checks = Readonly<Record<string, { status: string; detail: string; remedy?: string }>>

/** Where another user may go, too. */
const home = mkdtempSync(join(tmpdir(), 'keepseal-weakenings-'))
const programs = join(home, 'bundle')
const agent = join(programs, 'keepseal-agent.js')
const helper = join(programs, 'keepseal-measure.js')
let machine: ApartMachine

const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip', 'nft', 'sshd', 'ssh-keygen', 'useradd', 'apt-get']

async function whyNot(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'takes root to set up'
  const missing = PROGRAMS.filter((program) => spawnSync('which', [program]).status !== 0)
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`
  chmodSync(home, 0o755)
  for (const name of ['bundle', 'apart']) mkdirSync(join(home, name), { mode: 0o755 })
  try {
    machine = await ApartMachine.start(join(home, 'apart'))
    machine.run(['nft', 'list', 'ruleset'])
    return undefined
  } catch (error) {
    await machine?.stop()
    return error instanceof Error ? error.message : String(error)
  }
}
const why = await whyNot()
if (why !== undefined) rmSync(home, { recursive: true, force: true })

/** What the agent prints as nobody, whichever exit code it has. */
function asAgent<T>(...words: readonly string[]): T {
  const command = ['setpriv', ...AS_AGENT, process.execPath, ...FLAGS, agent, ...words, '--set', 'tpm.tcti=none']
  return JSON.parse(machine.run(command, '', true)) as T
}

const once = (): Printed => asAgent('once', '--print', '--json')

function doctor(): Checks {
  const { checks } = asAgent<{ checks: readonly { id: string }[] }>('doctor', '--json')
  return Object.fromEntries(checks.map((check) => [check.id, check])) as unknown as Checks
}

const summary = ({ code, subject }: Deviation): string => `${code} ${subject}`

function deviceWith({ sections }: Printed): SoftwareDevice {
  const device = new SoftwareDevice({ tpm: null })
  device.readings = sections as unknown as Readings
  // As they are sent, to the last bit.
  for (const [id, { digest }] of device.sections) expect(toHex(digest), id).toBe(sections[id].digest)
  return device
}

/** What the collector finds of a gateway that was approved with one posture, and now reports another. */
async function findingsBetween(approved: Printed, now: Printed): Promise<readonly Deviation[]> {
  const [before, after] = [deviceWith(approved), deviceWith(now)]
  const contents = new Map([...before.contents, ...after.contents])
  const { bytes } = await after.report()
  return appraisalOf(after, bytes, { approved: approvalOf(before), contents }).deviations
}

const suffix = why === undefined ? '' : ` (skipped: ${why})`

describe.skipIf(why !== undefined)(`this machine as a gateway, in namespaces of its own${suffix}`, () => {
  let alone: Printed
  let aloneChecks: Checks
  let approved: Printed

  beforeAll(async () => {
    await buildAgent(programs)
    install(machine)
    await vi.waitUntil(() => machine.listensOn(22), { timeout: 10_000, interval: 50 })
    alone = once()
    aloneChecks = doctor()
    machine.start(['setpriv', ...AS_HELPER, process.execPath, ...FLAGS, helper, '--listen', SOCKET])
    await vi.waitUntil(() => existsSync(machine.at(SOCKET)), { timeout: 10_000, interval: 50 })
    // Without CAP_CHOWN the listener cannot do this itself; systemd does it for the unit.
    chownSync(machine.at(SOCKET), 0, NOBODY)
    chmodSync(machine.at(SOCKET), 0o660)
    approved = once()
  })
  afterAll(async () => {
    await machine.stop()
    rmSync(home, { recursive: true, force: true })
  })

  describe('with the helper, and the agent as nobody', () => {
    test('is as it was approved, where nothing was changed', async () => {
      for (const id of ['sockets', 'firewall', 'access'] as const) expect(approved.sections[id].by).toBe('helper')
      expect(await findingsBetween(approved, once())).toEqual([])
    })

    test.each(WEAKENINGS)('$change is the one finding $code', async ({ paths, make, code, subject }) => {
      const now = machine.keeping(paths, () => {
        make(machine)
        return once()
      })
      loadFirewall(machine)
      expect((await findingsBetween(approved, now)).map(summary)).toEqual([`${code} ${subject}`])
      expect(findings[code].remedy).toMatch(/on the gateway/)
    })

    // All that was changed is undone: none of the findings above is that of an earlier change.
    test('is as it was approved again in the end', async () => {
      expect(await findingsBetween(approved, once())).toEqual([])
    })
  })

  describe('without the helper, and the agent as nobody', () => {
    const hidden = { missing: 'no-permission' }

    test('has rules of the firewall that may not be seen, and not none', () => {
      const { by, content } = alone.sections.firewall
      expect(by).toBe('agent')
      expect(content).toMatchObject({ input: { ipv4: hidden, ipv6: hidden } })
      expect(content?.['rulesets']).toContainEqual({ source: 'nftables', rules: hidden })
    })

    test('has passwords that may not be seen, and neither none nor locked ones', () => {
      const { accounts } = alone.sections.access.content as unknown as AccessContent
      if ('missing' in accounts) throw new Error(accounts.missing)
      expect(accounts.value.shadow).toBe('no-permission')
      expect(accounts.value.list).toContainEqual(
        expect.objectContaining({ name: 'root', password: hidden, keys: hidden }),
      )
    })

    test('has listeners whose owners may not be seen, and not ones without', () => {
      const { owners, listeners } = alone.sections.sockets.content as unknown as SocketsContent
      expect(owners).toBe('no-permission')
      expect(listeners.map(({ port, owner }) => [port, owner])).toEqual([
        [22, 'hidden'],
        [22, 'hidden'],
      ])
    })

    // A firewall that cannot be seen is not one that is off, nor are there fewer superusers.
    test('is found to be hidden, and not to be weakened', async () => {
      const codes = (await findingsBetween(approved, alone)).map(({ code }) => code)
      expect(codes).toEqual(expect.arrayContaining(['firewall.not-readable', 'access.not-readable']))
      for (const { code } of WEAKENINGS) expect(codes).not.toContain(code)
    })

    test('is told by doctor how to see it with the helper, while the agent stays without root', () => {
      const { helper: program, sensors } = aloneChecks
      expect(program).toMatchObject({ status: 'warning', remedy: expect.stringContaining(ENABLE) as string })
      expect(sensors).toMatchObject({ status: 'warning', remedy: expect.stringContaining(ENABLE) as string })
      for (const part of ['sockets: no permission for owners', 'firewall: no permission', 'access: no permission']) {
        expect(sensors?.detail).toContain(part)
      }
    })

    test('hides nothing any more where that is done', () => {
      const { helper: program, sensors } = doctor()
      expect(program?.status).toBe('good')
      expect(sensors?.detail).not.toContain('no permission')
    })
  })
})
