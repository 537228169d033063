import { defineConfig, option, type ConfigValues } from '../../shared/config/definition.ts'
import { serverUrl } from '../../shared/config/url-types.ts'
import { DEFAULT_SOCKET, LOGS } from '../measure/protocol.ts'
import { certificatePlace, persistentHandle } from './idevid-types.ts'
import { boolean, choice, integer, integerList, optionalPath, path, text } from '../../shared/config/value-types.ts'

const DAY = 86_400
const MIB = 1024 * 1024

/** PCR 16 and 23 can be reset by any software and prove nothing (TCG PC Client Platform TPM Profile, PCR attributes). */
const quotable = (pcr: number): boolean => pcr >= 0 && pcr <= 22 && pcr !== 16

/** Every option of the agent. Empty text means that the agent finds the value by itself, or does without. */
export const agentConfig = defineConfig(
  'agent',
  {
    collector: {
      url: option(serverUrl({ schemes: ['https:'], words: [''] }), '', 'Collector to enrol with, and to renew from.'),
      ca_file: option(
        optionalPath(),
        '',
        'Certificate authority of the collector, in PEM. Empty: pinned at enrolment.',
      ),
      token_file: option(
        optionalPath(),
        '',
        'One-time token with which the service enrols this device by itself. Removed when it is used.',
        { secretFile: true },
      ),
      enrol_without_token: option(
        boolean(),
        false,
        'Enrol by the TPM alone where no token lies ready. The collector has to know its endorsement key or IDevID beforehand.',
      ),
    },
    mqtt: {
      url: option(
        serverUrl({ schemes: ['mqtts:'], loopbackSchemes: ['mqtt:'], words: [''] }),
        '',
        'Broker to report to. Empty: the one that the collector named at enrolment.',
      ),
      protocol: option(choice(['auto', '5', '3.1.1']), 'auto', 'MQTT version; auto tries 5 and falls back to 3.1.1.'),
      connection: option(
        choice(['kept', 'for-reports']),
        'kept',
        'Whether the connection is kept, or made for each report and ended when it has its receipt.',
      ),
    },
    state: {
      directory: option(path(), '/var/lib/keepseal-agent', 'Keys, enrolment and outbox of this device.'),
      outbox_max_bytes: option(
        integer(MIB / 4, 1024 * MIB),
        16 * MIB,
        'Largest size of the reports not yet receipted.',
      ),
      outbox_max_age_seconds: option(integer(3600, 3650 * DAY), 30 * DAY, 'How long reports wait for a receipt.'),
    },
    report: {
      preset: option(
        choice(['usual', 'narrow-band']),
        'usual',
        'Defaults for the kind of link: narrow-band reports once an hour, in few bytes. What is set beside it holds.',
      ),
      interval_seconds: option(integer(10, 7 * DAY), 300, 'Time from one measurement to the next.'),
      jitter_seconds: option(integer(0, 3600), 30, 'Random delay on top, so that a fleet does not report in step.'),
      sample_seconds: option(
        integer(0, 3600),
        60,
        'Time between two looks at the listening sockets in between, to count those that come and go. 0: none.',
      ),
      resend_seconds: option(integer(60, 7 * DAY), 1500, 'Time after which a report without receipt is sent again.'),
    },
    tpm: {
      tcti: option(text(), '', 'TPM to use, as tpm2-tss names it (device:/dev/tpmrm0). Empty: find it. none: no TPM.'),
      transport: option(
        choice(['auto', 'tss2', 'device']),
        'auto',
        'How commands get there: tss2, through tpm2-tss. device: straight to the device file. auto: tss2 where it is installed.',
      ),
      bank: option(choice(['sha256', 'sha384']), 'sha256', 'PCR bank to quote.'),
      pcrs: option(
        integerList('distinct PCR numbers in ascending order, from 0 to 15 and 17 to 22', quotable),
        Array.from({ length: 15 }, (_, pcr) => pcr),
        'PCRs to quote.',
      ),
      ak_algorithm: option(choice(['ecc-p256', 'rsa-2048']), 'ecc-p256', 'Algorithm of the attestation key.'),
      endorsement_auth_file: option(optionalPath(), '', 'Password of the endorsement hierarchy, if it has one.', {
        secretFile: true,
      }),
      ek_certificate_file: option(optionalPath(), '', 'EK certificate, where the TPM holds none (DER or PEM).'),
      idevid_handle: option(
        persistentHandle(),
        '',
        'Persistent handle of the IDevID key, usually 0x81020000. It is shown where this device enrols without a token.',
      ),
      idevid_certificate: option(
        certificatePlace(),
        '',
        'Certificate of the IDevID: an NV index (nv:0x01c90000) or a file (DER or PEM).',
      ),
      firmware_log_file: option(optionalPath(), LOGS['firmware-log'].path, 'Boot event log of the firmware.'),
      ima_log_file: option(optionalPath(), LOGS['measurement-list'].path, 'Measurement list of the kernel (IMA).'),
    },
    product: {
      vendor: option(text(64), '', 'Vendor of this gateway, as claimed at enrolment.'),
      model: option(text(64), '', 'Model of this gateway, as claimed at enrolment.'),
      hardware_revision: option(text(64), '', 'Hardware revision, as claimed at enrolment.'),
      serial: option(text(64), '', 'Serial number of this unit, as claimed at enrolment.'),
    },
    host: {
      root: option(path(), '/', 'Where the measured system is mounted.'),
    },
    measure: {
      socket: option(
        optionalPath(),
        DEFAULT_SOCKET,
        'Where keepseal-measure, the privileged helper, listens. Empty: none.',
      ),
      max_age_seconds: option(
        integer(0, DAY),
        1800,
        'How long what the helper found stands for the present while nothing changes that the agent sees. 0: not at all.',
      ),
    },
    log: {
      level: option(choice(['error', 'warn', 'info', 'debug']), 'info', 'Least severity that is logged.'),
    },
  },
  [
    {
      names: ['report.jitter_seconds', 'report.interval_seconds'],
      requirement: 'be less than report.interval_seconds',
      holds: ({ report }) => report.jitterSeconds < report.intervalSeconds,
    },
    {
      names: ['report.resend_seconds', 'report.interval_seconds'],
      requirement: 'be at least report.interval_seconds',
      holds: ({ report }) => report.resendSeconds >= report.intervalSeconds,
    },
    {
      names: ['tpm.idevid_handle', 'tpm.idevid_certificate'],
      requirement: 'be set together with tpm.idevid_certificate',
      holds: ({ tpm }) => (tpm.idevidHandle === '') === (tpm.idevidCertificate === ''),
    },
    {
      names: ['state.outbox_max_age_seconds', 'report.resend_seconds'],
      requirement: 'be more than report.resend_seconds, or no report is ever sent again',
      holds: ({ state, report }) => state.outboxMaxAgeSeconds > report.resendSeconds,
    },
  ],
  [
    {
      name: 'report.preset',
      defaults: {
        'narrow-band': {
          'report.interval_seconds': 3600,
          'report.jitter_seconds': 120,
          'report.resend_seconds': 4 * 3600,
          'mqtt.connection': 'for-reports',
        },
      },
    },
  ],
)

export type AgentConfig = ConfigValues<typeof agentConfig.sections>
