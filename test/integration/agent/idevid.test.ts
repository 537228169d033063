import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { tryToEnrol } from '../../../agent/enrol/first-boot.ts'
import { createLog } from '../../../agent/log.ts'
import { loadIdentity } from '../../../agent/state/identity.ts'
import type { EnrolmentDependencies } from '../../../collector/trust/enrolment/dependencies.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { PRODUCT } from '../../support/enrolling-device.ts'
import { useCollectors, type Collector } from '../../support/enrolment-collector.ts'
import { useEnrolmentServer } from '../../support/enrolment-server.ts'
import { failureOf } from '../../support/failure.ts'
import { manufactureIdevid } from '../../support/manufactured-idevid.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { hasTpmTerminal, tpmTerminal, type TpmTerminal } from '../../support/tpm-terminal.ts'

const hasTools = spawnSync('tpm2_createprimary', ['--version']).error === undefined
const pki = createPki()
const scratch = useScratchDirectories('idevid')
const newCollector = useCollectors()

let collector: Collector
let dependencies: EnrolmentDependencies

const server = useEnrolmentServer({ pki, dependencies: () => dependencies })
beforeEach(async () => {
  collector = await newCollector()
  collector.now = Date.now()
  dependencies = collector.dependencies
  await collector.product({ identityPolicy: 'tofu' })
})

const HANDLE = '0x81020000'
const NV_INDEX = '0x01c90000'

describe.runIf(hasTools && hasTpmTerminal)(
  'a unit with an IDevID from the production line (skipped without tpm2-tools or python3)',
  () => {
    let swtpm: SoftwareTpm
    let terminal: TpmTerminal
    let certificate: Uint8Array
    beforeAll(async () => {
      swtpm = await startSwtpm({ withEkCertificate: false })
      const wanted = { algorithm: 'ecc:ecdsa-sha256', handle: HANDLE, nvIndex: NV_INDEX }
      certificate = (await manufactureIdevid(swtpm.tcti, wanted)).certificate
    })
    afterAll(() => swtpm.stop())

    /** Its first boot, with the image's configuration and no token. */
    async function boot(transport: 'tss2' | 'device', set: readonly string[] = []) {
      const directory = scratch()
      const [state, caFile] = [join(directory, 'state'), join(directory, 'ca.pem')]
      writeFileSync(caFile, pki.authority)
      if (transport === 'device') terminal = await tpmTerminal(swtpm.tcti)
      const { values: config } = loadAgentConfig(
        {
          config: '/dev/null',
          set: [
            `collector.url=${server.url}`,
            `collector.ca_file=${caFile}`,
            'collector.enrol_without_token=true',
            `state.directory=${state}`,
            `tpm.transport=${transport}`,
            `tpm.tcti=${transport === 'tss2' ? swtpm.tcti : `device:${terminal.path}`}`,
            `tpm.idevid_handle=${HANDLE}`,
            `tpm.idevid_certificate=nv:${NV_INDEX}`,
            `product.vendor=${PRODUCT.vendor}`,
            `product.model=${PRODUCT.model}`,
            `product.hardware_revision=${PRODUCT.hardwareRevision}`,
            `product.serial=${PRODUCT.serial}`,
            ...set,
          ],
        },
        {},
      )
      const log = createLog({ level: 'error', write: () => undefined, journald: false, clock: Date.now })
      try {
        const failure = await failureOf(() => tryToEnrol({ config, environment: {}, log }))
        return { state, code: failure?.code, message: failure?.message ?? '' }
      } finally {
        if (transport === 'device') await terminal.stop()
      }
    }

    const register = (entry: Parameters<Collector['register']>[0] = {}) =>
      collector.register({ kind: 'idevid', fingerprint: sha256(certificate), ...entry })

    test.each(['tss2', 'device'] as const)('enrols by it once, without a token, by %s', async (transport) => {
      const id = await register()
      const { state, message } = await boot(transport)
      expect(message).toBe('')
      const { ueid } = await loadIdentity(state)
      expect(await collector.store.registrations.byId(id)).toMatchObject({ usedByUeid: ueid })
      expect(await collector.audit('device.enrol')).toMatchObject([{ detail: { registration: 'idevid' } }])
      expect((await boot(transport)).message).toContain('enrol.ek-registration-used')
    })

    test.each(['tss2', 'device'] as const)(
      'is refused as another unit, and once it is revoked, by %s',
      async (transport) => {
        const id = await register()
        expect((await boot(transport, ['product.serial=0002'])).message).toContain('enrol.product-mismatch')
        await collector.store.registrations.revoke(id, collector.now)
        expect((await boot(transport)).message).toContain('enrol.ek-registration-revoked')
        expect(await collector.devices()).toEqual([])
      },
    )

    test('is refused where it was not registered, and where its place is configured wrongly', async () => {
      expect((await boot('tss2')).message).toContain('enrol.ek-not-registered')
      await register()
      const wrong = await boot('tss2', ['tpm.idevid_handle=0x81020001'])
      expect(wrong.code).toBe('tpm.idevid-unusable')
      expect(await collector.devices()).toEqual([])
    })

    test('is not shown beside a token', async () => {
      const token = join(scratch(), 'token')
      writeFileSync(token, await collector.token(), { mode: 0o600 })
      const id = await register()
      const { message } = await boot('tss2', [`collector.token_file=${token}`, 'product.serial=0002'])
      expect(message).toBe('')
      expect(await collector.store.registrations.byId(id)).toMatchObject({ usedAt: null })
      expect(await collector.audit('device.enrol')).toMatchObject([{ detail: { idevid: null, registration: null } }])
    })

    test('of another TPM opens nothing: a certificate can be copied, its key cannot', async () => {
      await register()
      const file = join(scratch(), 'copied.der')
      writeFileSync(file, certificate)
      const other = await startSwtpm({ withEkCertificate: false })
      try {
        await manufactureIdevid(other.tcti, { algorithm: 'ecc:ecdsa-sha256', handle: HANDLE })
        const copied = await boot('tss2', [`tpm.tcti=${other.tcti}`, `tpm.idevid_certificate=${file}`])
        // The agent says so at once; the collector says it to an agent that would not.
        expect(copied.code).toBe('tpm.idevid-unusable')
        expect(await collector.devices()).toEqual([])
      } finally {
        await other.stop()
      }
    })
  },
)
