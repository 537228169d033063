import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../architecture/sources.ts'
import { OTHER_WORD, PACKAGE_IN_GUEST, TOKEN } from './gateway.ts'
import { isCutOff } from './image/disks.ts'
import { Ledger } from './ledger.ts'
import { Story, type Device } from './story.ts'
import { reportsInOutbox, tracesIn } from './in-the-guest.ts'
import { keepVectors } from './vectors.ts'

/**
 * A gateway from its image to its end, in a virtual machine: docs/virtual-gateway.md. Told in order, by as few boots as
 * it takes. Its deadlines are for a machine that does much else at the same time; what it took is printed.
 */

const MINUTE = 60_000
const REPORT_TIMEOUT_MS = 5 * MINUTE

const ledger = new Ledger()
let story: Story

beforeAll(async () => {
  story = await ledger.time('build: tree, package, kernel images, disks', () =>
    Story.begin(repository, (line) => ledger.say(line)),
  )
  ledger.note('package', `${Math.round(statSync(story.gateway.packageFile).size / 1024)} KiB`)
  ledger.note('apt install in the tree', `${story.gateway.installMs} ms`)
}, 15 * MINUTE)

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') ledger.say(`the guest's journal: ${await story.keepJournal()}`)
})

afterAll(async () => {
  await story?.end()
  ledger.print()
}, MINUTE)

const boot = async (name: string, ...parameters: Parameters<Story['boot']>): Promise<void> => {
  const machine = await story.boot(...parameters)
  ledger.note(`${name}: power on until user space is ready`, `${machine.bootMs} ms`)
}

/** The first report of this boot: with another session than the one before, and looked at whole. */
async function reported(name: string, before: string | null): Promise<Device> {
  const device = await story.until(
    ({ session, verdictCode }) => session !== before && verdictCode !== 'content.missing',
    REPORT_TIMEOUT_MS,
  )
  const at = Date.parse(device.lastReceivedAt ?? '')
  const { poweredOnAt, bootMs } = story.machine
  ledger.note(`${name}: power on until its first report was accepted`, `${at - poweredOnAt} ms`)
  ledger.note(`${name}: user space until its first report was accepted`, `${at - poweredOnAt - bootMs} ms`)
  return device
}

const codesOf = ({ findings }: Device): string[] => findings.map(({ code }) => code)

describe('a gateway that is installed from the package', () => {
  it('enrols with its endorsement key at its first boot, and attests its boot', { timeout: 15 * MINUTE }, async () => {
    await boot('first boot', 'shipped')
    await expect
      .poll(async () => (await story.site.author.get<{ items: Device[] }>('/devices')).items.length, {
        timeout: REPORT_TIMEOUT_MS,
        interval: 1000,
      })
      .toBe(1)
    const { items } = await story.site.author.get<{ items: Device[] }>('/devices')
    story.ueid = items[0]?.ueid ?? ''
    expect(await reported('first boot', null)).toMatchObject({
      identity: 'tpm-endorsed',
      bootCoverage: 'measured',
      verdict: 'not-appraised',
      verdictCode: 'reference-values.missing',
    })
    expect(await story.machine.shell.ask(`test -e /${TOKEN}`)).toMatchObject({ status: 1 })
  })

  it('has its boot explained, link by link', async () => {
    const view = await story.bootView()
    expect(view).toMatchObject({ log: 'proven', secureBoot: { enabled: true } })
    const parts = new Set(view.events.map(({ part }) => part))
    for (const part of ['firmware', 'kernel', 'initial-ram-disk', 'command-line']) expect(parts).toContain(part)
    expect(view.pcrs.filter(({ status }) => status === 'not-logged')).toEqual([])
    // Words that systemd measures once the log of the firmware is closed.
    expect(view.pcrs.find(({ pcr }) => pcr === 11)?.late).toContain('sysinit')
    if (process.env['KEEPSEAL_UPDATE_VECTORS'] !== undefined) await keepVectors(story, repository)
  })

  it('is affirming by the release that was captured from it', { timeout: 6 * MINUTE }, async () => {
    const { author, approver } = story.site
    const capture = { name: '1.0', ueids: [story.ueid] }
    const { release, digest } = await author.post<{ release: { id: string }; digest: string }>(
      `/products/${story.productId}/releases/capture`,
      capture,
    )
    await approver.post(`/releases/${release.id}/approve`, { seen: digest })
    await author.post(`/releases/${release.id}/activate`, {})
    const device = await story.until(({ verdict }) => verdict === 'affirming', REPORT_TIMEOUT_MS)
    expect(device).toMatchObject({ latch: 'none', verdictCode: null, findings: [] })
  })

  it('runs under systemd as its units say', async () => {
    const { shell } = story.machine
    const properties = 'Type,ActiveState,SubState,NRestarts,WatchdogUSec,StatusText,User,Result'
    const shown = await shell.run(`systemctl show keepseal-agent.service -p ${properties}`)
    expect(
      Object.fromEntries(
        shown
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/).slice(0, 2)),
      ),
    ).toEqual({
      Type: 'notify',
      ActiveState: 'active',
      SubState: 'running',
      NRestarts: '0',
      WatchdogUSec: '5min',
      StatusText: 'reporting',
      User: 'keepseal-agent',
      Result: 'success',
    })
    // The helper: started by its socket, for one answer, and gone without a complaint.
    const helper = await shell.run('journalctl -b --no-pager -o cat -u "keepseal-measure@*"')
    expect(helper).toContain('Deactivated successfully')
    expect(helper).not.toMatch(/Failed with result|keepseal-measure: /)
    const journal = await shell.run('journalctl -b --no-pager -o cat')
    // SECCOMP is type 1326 of the audit log; refusals by the rules of a unit are EPERM or EACCES.
    expect(journal).not.toMatch(/type=1326|avc:.*denied|EPERM|EACCES|Operation not permitted/)
  })

  it('is held against a listener and a source of packages that are new', { timeout: 6 * MINUTE }, async () => {
    const { shell } = story.machine
    await shell.run('echo "deb [trusted=yes] http://other.example/apt ./" > /etc/apt/sources.list.d/other.list')
    await shell.run('systemctl start prometheus-node-exporter.service')
    const device = await story.until(
      ({ findings }) =>
        findings.some(({ code }) => code === 'sockets.listener-added') &&
        findings.some(({ code }) => code.startsWith('update-channel.')),
      REPORT_TIMEOUT_MS,
    )
    expect(device.findings.find(({ code }) => code === 'sockets.listener-added')?.subject).toContain('9100')
    expect(device.findings.find(({ code }) => code === 'update-channel.unsigned-source')?.subject).toContain(
      'other.example',
    )
    await ledger.memory('node-exporter at idle', shell, 'prometheus-node-exporter.service')
    await ledger.memory('agent at idle', shell, 'keepseal-agent.service')
    await shell.run('systemctl stop prometheus-node-exporter.service; rm /etc/apt/sources.list.d/other.list')
    await story.until(({ verdict }) => verdict === 'affirming', REPORT_TIMEOUT_MS)
  })

  it(
    'is stale and then silent without its agent, and the same device when that is back',
    { timeout: 10 * MINUTE },
    async () => {
      const { shell } = story.machine
      const before = await story.device()
      const identity = await shell.run('cd /var/lib/keepseal-agent && find identity -type f | sort | xargs sha256sum')
      await shell.run('apt-get remove -y -qq keepseal-agent')
      expect(await shell.ask('test -e /usr/lib/keepseal')).toMatchObject({ status: 1 })
      // The deadline counts at once; the finding and the history come with the watch, which passes from time to time.
      const isTold = (each: Device): boolean => codesOf(each).includes('liveness.silent')
      expect(await story.until(isTold, 6 * MINUTE)).toMatchObject({ liveness: 'silent' })
      interface Transition {
        readonly axis: string
        readonly to: string
      }
      const { items } = await story.site.author.get<{ items: Transition[] }>(`/devices/${story.ueid}/history`)
      // Newest first: it was stale before, at its own deadline.
      const liveness = items.filter(({ axis }) => axis === 'liveness').map(({ to }) => to)
      expect(liveness.slice(0, 2)).toEqual(['silent', 'stale'])
      const started = Date.now()
      await shell.run(`apt-get install -y -qq ${PACKAGE_IN_GUEST}`)
      ledger.note('apt install in the guest, service started', `${Date.now() - started} ms`)
      expect(await shell.run('cd /var/lib/keepseal-agent && find identity -type f | sort | xargs sha256sum')).toBe(
        identity,
      )
      const back = await story.until(
        ({ liveness, session }) => liveness === 'fresh' && session !== before.session,
        REPORT_TIMEOUT_MS,
      )
      expect(back).toMatchObject({ ueid: before.ueid, latch: 'none' })
      const devices = await story.site.author.get<{ items: Device[] }>('/devices')
      expect(devices.items).toHaveLength(1)
    },
  )
})

describe('a power cut in the middle of a write', () => {
  it('loses nothing: identity, reports that waited, verdict', { timeout: 15 * MINUTE }, async () => {
    const before = await story.until(({ verdict }) => verdict === 'affirming', REPORT_TIMEOUT_MS)
    const resets = story.newestQuote().clockInfo.resetCount
    const { shell } = story.machine
    await story.site.stopCollector()
    const waitingNow = async (): Promise<number> => (await reportsInOutbox(shell)).length
    await expect.poll(waitingNow, { timeout: REPORT_TIMEOUT_MS, interval: 1000 }).toBeGreaterThanOrEqual(2)
    const waiting = await reportsInOutbox(shell)
    // Slow, so that there is a time in which a report is half written; its file then still bears this name.
    await story.machine.slowDisk(2)
    await shell.run('until compgen -G "/var/lib/keepseal-agent/outbox/*.new"; do :; done')
    await story.cutPower()
    expect(isCutOff(story.gateway.root)).toBe(true)

    await story.site.startCollector()
    await boot('boot after the power cut', 'shipped')
    const device = await reported('boot after the power cut', before.session)
    expect(device).toMatchObject({ ueid: before.ueid, latch: 'none' })
    expect(story.newestQuote().clockInfo.resetCount).toBeGreaterThan(resets)
    await story.until(({ verdict }) => verdict === 'affirming', REPORT_TIMEOUT_MS)
    interface Counted {
      readonly session: string
      readonly sequence: number
    }
    const counted = async (): Promise<string[]> => {
      const { items } = await story.site.author.get<{ items: Counted[] }>(`/devices/${story.ueid}/evidence?limit=200`)
      return items.map(({ session, sequence }) => `${session} ${sequence}`)
    }
    expect(waiting.length).toBeGreaterThanOrEqual(2)
    await expect.poll(counted, { timeout: REPORT_TIMEOUT_MS, interval: 1000 }).toEqual(expect.arrayContaining(waiting))
    expect(codesOf(await story.device())).not.toContain('reporting.loss')
    const doctor = await story.machine.shell.ask('keepseal-agent doctor --json')
    ledger.say(`doctor: ${doctor.status}`)
  })
})

describe('a boot that no release knows', () => {
  it('is told by each of its causes: command line, kernel, Secure Boot', { timeout: 20 * MINUTE }, async () => {
    const before = await story.device()
    await story.powerOff()
    await boot('tampered boot', 'tampered', 'off')
    await reported('tampered boot', before.session)
    const device = await story.until((each) => codesOf(each).includes('boot.secure-boot-changed'), REPORT_TIMEOUT_MS)
    expect(device).toMatchObject({ ueid: before.ueid, verdict: 'contraindicated', latch: 'failed' })
    expect((await story.bootView()).secureBoot?.enabled).toBe(false)
    const boots = device.findings.filter(({ code }) => code.startsWith('boot.'))
    for (const { code, subject, before: was, after } of boots) ledger.say(`${code}: ${subject}: ${was} -> ${after}`)
    const told = boots.find(({ code, subject }) => code === 'boot.fact-changed' && subject === 'command-line')
    expect(told?.after).toContain(OTHER_WORD)
    // OVMF measures a volume of its own in memory, where it has noted what its variables say.
    const noted = new Set(['boot.fact-changed', 'boot.firmware-changed'])
    const measured = new Set(boots.map(({ code }) => code).filter((code) => !noted.has(code)))
    expect([...measured].sort()).toEqual([
      'boot.command-line-changed',
      'boot.kernel-changed',
      'boot.secure-boot-changed',
    ])
  })
})

describe('the package', () => {
  it('leaves no trace when it is purged', { timeout: 15 * MINUTE }, async () => {
    const { shell } = story.machine
    expect(await tracesIn(shell)).not.toEqual([])
    await shell.run('apt-get purge -y -qq keepseal-agent')
    await sleep(1000)
    expect(await tracesIn(shell)).toEqual([])
  })
})
