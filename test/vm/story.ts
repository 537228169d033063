import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { manufacture } from '../../deploy/preview/manufacture-tpm.ts'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import { parseQuoteAttest, type QuoteAttest } from '../../shared/tpm/attest.ts'
import { makeGateway, PRODUCT, type Gateway } from './gateway.ts'
import { CACHE } from './image/tree.ts'
import { firmwareVariables } from './machine/firmware.ts'
import { Machine } from './machine/machine.ts'
import { HOST, Site } from './site.ts'

export interface Device {
  readonly ueid: string
  readonly verdict: string
  readonly verdictCode: string | null
  readonly latch: string
  readonly liveness: string
  readonly identity: string
  readonly bootCoverage: string
  readonly session: string | null
  readonly sequence: number | null
  readonly lastFreshAt: string | null
  readonly lastReceivedAt: string | null
  readonly findings: readonly Finding[]
}

export interface Finding {
  readonly code: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

export interface Boot {
  readonly log: string
  readonly secureBoot: { readonly enabled: boolean | 'unknown' } | null
  readonly events: readonly { readonly part: string; readonly name: string }[]
  readonly pcrs: readonly { readonly pcr: number; readonly status: string; readonly late: readonly string[] }[]
}

const POLL_MS = 1000

/** One gateway, its collector, and what became of them so far. */
export class Story {
  readonly directory: string
  readonly site: Site
  readonly gateway: Gateway
  readonly productId: string
  readonly #variables: Readonly<Record<'on' | 'off', string>>
  readonly #tpm: string
  #machine: Machine | undefined
  ueid = ''

  private constructor(directory: string, site: Site, gateway: Gateway, productId: string, tpm: string) {
    this.directory = directory
    this.site = site
    this.gateway = gateway
    this.productId = productId
    this.#tpm = tpm
    this.#variables = { on: firmwareVariables(directory, 'on'), off: firmwareVariables(directory, 'off') }
  }

  static async begin(repository: string, say: (line: string) => void): Promise<Story> {
    mkdirSync(CACHE, { recursive: true })
    const directory = mkdtempSync(join(CACHE, 'run-'))
    const tpm = join(directory, 'tpm')
    mkdirSync(tpm)
    manufacture(tpm, true, ['sha256'])
    const site = await Site.start({ repository, directory, tpm })
    try {
      const policy = { identityPolicy: 'endorsed', approvalPolicy: 'automatic' }
      const { id } = await site.author.post<{ id: string }>('/products', { ...PRODUCT, ...policy })
      const order = { productId: id, expiresInSeconds: 3600 }
      const { token } = await site.author.post<{ token: string }>('/enrolment-tokens', order)
      const place = { repository, directory, authorityFile: site.authorityFile }
      const gateway = makeGateway({ ...place, collectorUrl: `https://${HOST}:${site.port}`, token }, say)
      return new Story(directory, site, gateway, id, tpm)
    } catch (error) {
      await site.stop()
      throw error
    }
  }

  get machine(): Machine {
    if (this.#machine === undefined) throw new Error('the machine is off')
    return this.#machine
  }

  async boot(esp: keyof Gateway['esp'], secureBoot: 'on' | 'off' = 'on'): Promise<Machine> {
    const { directory, gateway } = this
    this.#machine = await Machine.boot({
      directory,
      esp: gateway.esp[esp],
      root: gateway.root,
      variables: this.#variables[secureBoot],
      tpm: this.#tpm,
    })
    return this.#machine
  }

  async cutPower(): Promise<void> {
    await this.#machine?.cutPower()
    this.#machine = undefined
  }

  async powerOff(): Promise<void> {
    await this.machine.powerOff()
    this.#machine = undefined
  }

  device(): Promise<Device> {
    return this.site.author.get<Device>(`/devices/${this.ueid}`)
  }

  bootView(): Promise<Boot> {
    return this.site.author.get<Boot>(`/devices/${this.ueid}/boot`)
  }

  /** The quote of the newest fresh evidence, as it was received. */
  newestQuote(): QuoteAttest {
    const file = join(this.directory, 'evidence.cbor')
    const { status, output } = this.site.keepseal('device', 'evidence', this.ueid, '--out', file)
    if (status !== 0) throw new Error(output)
    const { tpm } = decodeEvidence(new Uint8Array(readFileSync(file)))
    if (tpm === null) throw new Error('the evidence has no quote')
    return parseQuoteAttest(tpm.attest)
  }

  /** Waits until something holds of the device; the last that was seen of it tells why it never did. */
  async until(holds: (device: Device) => boolean, timeoutMs: number): Promise<Device> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const device = await this.device()
      if (holds(device)) return device
      if (Date.now() > deadline) {
        const findings = device.findings.map(({ code, subject }) => `${code} ${subject}`)
        throw new Error(`it has not come: ${JSON.stringify({ ...device, findings })}`)
      }
      await sleep(POLL_MS)
    }
  }

  /** Keeps what helps to see why a step failed: what the guest has logged. */
  async keepJournal(): Promise<string> {
    const file = join(this.directory, 'journal.txt')
    const answer = await this.#machine?.shell.ask('journalctl -b --no-pager -o short-monotonic').catch(() => undefined)
    writeFileSync(file, answer?.output ?? 'the machine was off')
    return file
  }

  async end(): Promise<void> {
    await this.cutPower()
    await this.site.stop()
    if (process.env['KEEPSEAL_VM_KEEP'] === undefined) rmSync(this.directory, { recursive: true, force: true })
  }
}
