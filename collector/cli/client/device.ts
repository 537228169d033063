import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { deviceBootCommands } from './device-boot.ts'
import { deviceHistoryCommands } from './device-history.ts'
import {
  Approval,
  describeApproval,
  describeDevice,
  Device,
  DeviceDetail,
  isGood,
  Labelled,
  labelText,
  Revocation,
} from './device-view.ts'
import { COVERAGE_REASONS } from '../../../shared/decisions/coverage.ts'
import { coverageLines, FleetCoverage } from './coverage-view.ts'
import { groupIdOf, labelsOf } from './group-reference.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const ueid = { description: 'Id of the device, as `device list` shows it.' } as const

/** One that may not report has no verdict that counts. */
const verdictOrEnrolment = ({
  enrolment,
  verdict,
}: {
  readonly enrolment: string
  readonly verdict: string
}): string => (enrolment === 'active' ? verdict : enrolment)

const pathOf = (device: string): string => `/devices/${encodeURIComponent(device.toLowerCase())}`

const list = defineCommand({
  name: 'device list',
  summary: 'List devices, last enrolled first',
  options: {
    ...listOptions,
    product: { description: 'Of this product only.', value: text(260), placeholder: 'PRODUCT' },
    enrolment: {
      description: 'pending, active or revoked ones only.',
      value: choice(['pending', 'active', 'revoked']),
      placeholder: 'STATE',
    },
    pending: { description: 'Only those that wait to be accepted.' },
    label: {
      description: 'With this label only.',
      value: text(130),
      placeholder: 'KEY=VALUE',
      multiple: true,
    },
    group: { description: 'Of this group only.', value: text(128), placeholder: 'GROUP' },
    release: { description: 'That conform to this release only.', value: text(64), placeholder: 'ID' },
    liveness: {
      description: 'never-seen, fresh, stale or silent ones only.',
      value: choice(['never-seen', 'fresh', 'stale', 'silent']),
      placeholder: 'STATE',
    },
    verdict: {
      description: 'With this verdict only.',
      value: choice(['affirming', 'warning', 'contraindicated', 'not-appraised']),
      placeholder: 'VERDICT',
    },
    coverage: {
      description: 'covered or not-covered ones only, or those that are not covered for this reason.',
      value: choice(['covered', 'not-covered', ...COVERAGE_REASONS]),
      placeholder: 'COVERAGE',
    },
  },
  description: [
    'COVERED says whether a certificate covers the device; below, all active ones are counted, with the reasons.',
  ],
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const {
      pending,
      verdict,
      coverage,
      product,
      label,
      group,
      liveness,
      release: releaseId,
      limit = DEFAULT_ITEMS,
    } = options
    if (pending && options.enrolment !== undefined) {
      throw new KeepsealError('usage.invalid', '--pending and --enrolment say the same')
    }
    const enrolment = pending ? 'pending' : options.enrolment
    const groupId = group === undefined ? undefined : await groupIdOf(client, group)
    const productId = product === undefined ? undefined : await productIdOf(client, product)
    const query = { enrolment, verdict, productId, groupId, releaseId, liveness, label, coverage }
    const listed = await client.list('/devices', query, Device, limit)
    const columns = [
      { title: 'DEVICE', shrinks: false },
      { title: 'VERDICT', style: toneOf },
      { title: 'LIVENESS', style: toneOf },
      { title: 'COVERED', style: toneOf },
      { title: 'IDENTITY' },
    ]
    const counted = await client.get(
      `/coverage${productId === undefined ? '' : `?productId=${productId}`}`,
      FleetCoverage,
    )
    const code = presentList(
      context,
      listed,
      columns,
      (device) => [
        device.ueid,
        verdictOrEnrolment(device),
        device.liveness,
        device.coverage === 'covered' ? 'yes' : 'no',
        device.identity,
      ],
      'No such device: keepseal token create --product PRODUCT makes a token to enrol one.',
      { coverage: counted },
    )
    if (listed.items.length > 0) terminal.error(`${coverageLines(counted).join('\n')}\n`)
    return code
  },
})

const show = defineCommand({
  name: 'device show',
  summary: 'Show one device with its findings and what to do about them',
  description: ['With --exit-code it ends with 1 unless the device is active, affirming, not latched and fresh.'],
  arguments: { ueid },
  options: {
    ...connectionOptions,
    'exit-code': { description: 'End with 1 unless everything is well.' },
  },
  json: true,
  run: async ({ options, arguments: { ueid: device }, terminal, present, style }) => {
    const shown = await connect(options, terminal.env).get(pathOf(device), DeviceDetail)
    present(shown, () => describeDevice(shown, { style }).join('\n'))
    return options.exitCode && !isGood(shown) ? exitCodes.finding : exitCodes.good
  },
})

const approve = defineCommand({
  name: 'device approve',
  summary: 'Accept a device, and what it reports now as its reference values',
  description: [
    'The values are marked "unreviewed": they support no certificate by themselves. Findings of the device are ' +
      'resolved, and a latched failure is released. All of it is entered in the audit log.',
  ],
  examples: ['keepseal device show 01… && keepseal device approve 01…'],
  arguments: { ueid },
  options: {
    ...connectionOptions,
    scope: {
      description: 'For this device (without this option), or for all devices of its product.',
      value: choice(['device', 'product']),
      placeholder: 'SCOPE',
    },
    seen: {
      description:
        'Review as `device show` gives it: refuse when anything is different by now. Asked for after a failure.',
      value: text(16),
      placeholder: 'REVIEW',
    },
    golden: {
      description: 'With --scope product: another good device, whose boot may differ where it does.',
      value: text(34),
      placeholder: 'UEID',
      multiple: true,
    },
    'boot-rules': {
      description: 'With --golden: the comparison that was looked at, as `device compare-boots` gives it.',
      value: text(64),
      placeholder: 'DIGEST',
    },
    'expected-posture': {
      description: 'Posture digest as `device show` gives it: refuse when it is another by now.',
      value: text(64),
      placeholder: 'DIGEST',
    },
  },
  json: true,
  run: async ({ options, arguments: { ueid: device }, terminal, present }) => {
    const {
      scope = 'device',
      expectedPosture: expectedPostureDigest,
      seen: expectedReview,
      golden = [],
      bootRules,
    } = options
    if (golden.length > 0 !== (bootRules !== undefined)) {
      throw new KeepsealError('usage.invalid', '--golden and --boot-rules belong together', {
        remedy: 'keepseal device compare-boots UEID UEID…',
      })
    }
    const client = connect(options, terminal.env)
    const approval = await client.post(
      `${pathOf(device)}/approve`,
      {
        scope,
        expectedPostureDigest,
        expectedReview,
        ...(bootRules === undefined
          ? {}
          : { golden: { ueids: golden.map((each) => each.toLowerCase()), rules: bootRules } }),
      },
      Approval,
    )
    present(approval, () => describeApproval(approval).join('\n'))
    return exitCodes.good
  },
})

const revoke = defineCommand({
  name: 'device revoke',
  summary: 'Take a device out of service: its evidence is refused from now on',
  arguments: { ueid },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { ueid: device }, terminal, present }) => {
    const revoked = await connect(options, terminal.env).post(`${pathOf(device)}/revoke`, {}, Revocation)
    present(revoked, () => 'revoked')
    return exitCodes.good
  },
})

const accept = defineCommand({
  name: 'device accept',
  summary: 'Let a pending device take part',
  description: [
    "What it reports becomes nobody's reference values: without a release it is not appraised until somebody approves " +
      'it, which accepts it as well.',
  ],
  examples: ['keepseal device list --pending'],
  arguments: { ueid },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { ueid: device }, terminal, present }) => {
    const accepted = await connect(options, terminal.env).post(`${pathOf(device)}/accept`, {}, Revocation)
    present(accepted, () => 'active')
    return exitCodes.good
  },
})

const reject = defineCommand({
  name: 'device reject',
  summary: 'Turn a pending device away: its evidence is refused from now on',
  arguments: { ueid },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { ueid: device }, terminal, present }) => {
    const rejected = await connect(options, terminal.env).post(`${pathOf(device)}/reject`, {}, Revocation)
    present(rejected, () => 'rejected')
    return exitCodes.good
  },
})

const label = defineCommand({
  name: 'device label',
  summary: 'Give labels to a device, or take them away',
  examples: ['keepseal device label 01… site=plant-7 --remove pilot'],
  arguments: { ueid, labels: { description: 'Labels to give, as KEY=VALUE.', optional: true, multiple: true } },
  options: {
    ...connectionOptions,
    remove: { description: 'Label to take away.', value: text(63), placeholder: 'KEY', multiple: true },
  },
  json: true,
  run: async ({ options, arguments: { ueid: device, labels = [] }, terminal, present }) => {
    const change = { set: labelsOf(labels), remove: options.remove ?? [] }
    const labelled = await connect(options, terminal.env).put(`${pathOf(device)}/labels`, change, Labelled)
    present(labelled, () => printable(labelText(labelled.labels)))
    return exitCodes.good
  },
})

export const deviceCommands: readonly Command[] = [
  watchable(list),
  watchable(show),
  ...deviceHistoryCommands,
  ...deviceBootCommands,
  approve,
  revoke,
  accept,
  reject,
  label,
]
