import { advisoryErrors } from './advisory-errors.ts'
import { accessErrors } from './access-errors.ts'
import { enrolmentErrors } from './enrolment-errors.ts'
import { guards } from './guards.ts'
import { sbomErrors } from './sbom-errors.ts'
import { defineCodes } from './registry.ts'

/** Errors that an operator, an API client or this software itself is responsible for. Never a verdict on a device. */
export const errors = defineCodes({
  'config.unknown-key': {
    title: 'a configuration key is not known',
    remedy: 'Correct the spelling or remove the line.',
  },
  'config.invalid-value': {
    title: 'a configuration value is not usable',
    remedy: 'Correct the value named in the message.',
  },
  'config.unreadable': { title: 'a configuration file cannot be read', remedy: 'Check the path and its permissions.' },
  'config.syntax': {
    title: 'a configuration file is not valid TOML',
    remedy: 'Correct the line named in the message.',
  },
  'config.several-problems': {
    title: 'the configuration has several problems',
    remedy: 'Correct each of those named in the message.',
  },

  'state.unreadable': {
    title: 'a state file is missing or damaged',
    remedy: 'Run the doctor command; enrol again if the identity is lost.',
  },
  'state.unwritable': {
    title: 'a state file cannot be written',
    remedy: 'Check the owner of the directory, and that its file system is not mounted read-only.',
  },
  'state.disk-full': { title: 'the disk is full', remedy: 'Free some space; nothing was changed.' },
  'state.insecure-permissions': {
    title: 'a secret can be read by others',
    remedy: 'chmod 600 the file named in the message.',
  },
  'state.unreachable': {
    title: 'the database cannot be reached',
    remedy: 'Start it, or correct the options of postgresql. Nothing is lost: devices send again what has no receipt.',
  },
  'state.busy': {
    title: 'the database is held by something else',
    remedy: 'Try again; if it stays so, look for what holds it in pg_stat_activity.',
  },
  'state.in-use': {
    title: 'a collector uses this database',
    remedy: 'Stop the service first: systemctl stop keepseal-collector',
  },
  'state.not-empty': {
    title: 'there is something already',
    remedy: 'Nothing was changed. Move what is there away first, if it is not needed any more.',
  },
  'state.runtime-unfit': {
    title: 'this version of Node.js cannot hold the embedded database',
    remedy: 'Run the collector with Node.js 22 (or 20.19), or keep its state in PostgreSQL: database.url.',
  },
  'state.tool-missing': {
    title: 'a program that is needed for this is not installed',
    remedy: 'Install the client programs of PostgreSQL: apt-get install postgresql-client',
  },
  'state.schema-newer': {
    title: 'the database was written by a newer version',
    remedy: 'Install that version or newer.',
  },

  'agent.not-enrolled': {
    title: 'this machine is not enrolled',
    remedy: 'keepseal-agent enroll --collector URL --token-file FILE',
  },
  'agent.running': {
    title: 'another agent uses this state directory',
    remedy: 'Stop the service first: systemctl stop keepseal-agent',
  },
  'agent.already-enrolled': {
    title: 'this machine is enrolled already',
    remedy: 'keepseal-agent status shows with whom.',
  },

  'tpm.unavailable': { title: 'no TPM can be reached', remedy: 'keepseal-agent doctor tells what is missing.' },
  'tpm.command-failed': { title: 'the TPM refused a command', remedy: 'keepseal-agent doctor tells what is missing.' },
  'tpm.library-missing': {
    title: 'the tpm2-tss libraries are not installed',
    remedy:
      'Install libtss2-esys, libtss2-mu, libtss2-tctildr; or set tpm.transport to auto, and tpm.tcti to device:/dev/tpmrm0.',
  },
  'tpm.hierarchy-locked': {
    title: 'the endorsement hierarchy has a password',
    remedy: 'Set tpm.endorsement_auth_file.',
  },
  'tpm.idevid-unusable': {
    title: 'there is no usable IDevID where the configuration says',
    remedy: 'Correct tpm.idevid_handle and tpm.idevid_certificate; keepseal-agent doctor looks at both.',
  },
  'tpm.idevid-locked': {
    title: 'the IDevID takes an authorization that the agent does not have',
    remedy:
      'Its key has to sign with an empty password (userWithAuth), and its NV index to be readable with one (authread); a file does for the certificate. Restart the agent after a change, or use a token.',
  },

  'collector.unreachable': {
    title: 'the collector does not answer',
    remedy: 'Check the address, the network and the certificate authority.',
  },
  'collector.untrusted': {
    title: 'the collector is not the one that was pinned',
    remedy: 'Check the address and the certificate authority file.',
  },
  'collector.refused': { title: 'the collector refused the request', remedy: 'See the code that it gave.' },

  ...enrolmentErrors,

  ...accessErrors,
  'request.invalid': { title: 'the request is not as documented', remedy: 'Correct the fields named in the message.' },
  'request.not-found': { title: 'no such thing', remedy: 'List what there is.' },
  'request.conflict': {
    title: 'the request conflicts with what is stored',
    remedy: 'Read the current state and decide again.',
  },
  'request.rate-limited': { title: 'too many requests', remedy: 'Wait as long as Retry-After says.' },

  'challenge.too-soon': {
    title: 'the device was asked for evidence a moment ago',
    remedy: 'Wait for its answer, or until it may be asked again: a minute after the last time.',
  },

  ...guards,
  'catalogue.invalid': {
    title: 'the catalogue of practices is not as documented',
    remedy: 'Correct the places named in the message: keepseal practice catalogue --check FILE',
  },
  'release.invalid': {
    title: 'the release file is not as documented',
    remedy: 'Correct the place named in the message; docs/releases.md has an example.',
  },
  'release.name-taken': {
    title: 'the product has a release of this name',
    remedy: 'Give it another name: approved releases are never changed.',
  },
  'release.content-unknown': {
    title: 'the release names content that this collector does not have',
    remedy: 'Write the content into the file, as keepseal release export does.',
  },
  'release.state-refused': {
    title: 'the release is not in a state that allows this',
    remedy: 'keepseal release show RELEASE tells its state and what comes next.',
  },
  'release.same-person': {
    title: 'an author cannot approve his own release',
    remedy: 'Have another person approve it, with a token of his own.',
  },
  'release.changed': {
    title: 'the release is not what was looked at any more',
    remedy: 'Look at it again: keepseal release show RELEASE',
  },
  'release.countersignature-missing': {
    title: 'a release of a certified product needs the countersignature of the certifier',
    remedy: 'Ask the certifier: keepseal release countersign RELEASE --seen DIGEST',
  },
  'release.critical-open': {
    title: 'a release with unresolved critical findings cannot become covered',
    remedy: 'Resolve them first: keepseal finding list',
  },
  'release.window-invalid': {
    title: 'the closing date of the acceptance window is not usable',
    remedy: 'Give a time in the future; the window of a superseded release can be shortened only.',
  },

  'report.no-browser': {
    title: 'no browser is installed that could print the report to PDF',
    remedy: 'Install the package chromium, or write --format html and print that page.',
  },
  'report.printing-failed': {
    title: 'the browser could not print the report',
    remedy: 'Write --format html and print that page.',
  },
  'mirror.page-invalid': {
    title: 'a page of the mirror is not what this collector signed',
    remedy: 'Keep it, and ask who operates the collector. If only the file is damaged, pull into a new directory.',
  },
  'mirror.chain-broken': {
    title: 'a page of the mirror does not follow the one before it',
    remedy: 'A page was changed or left out. Put the files back as they were, or pull into a new directory.',
  },
  'mirror.past-rewritten': {
    title: 'the collector contradicts what it has handed over before',
    remedy: 'Keep the directory: both are signed by the collector. Ask who operates it, also about a restored backup.',
  },
  'mirror.collector-changed': {
    title: 'the collector is not the one that this mirror is of',
    remedy: 'Check the address. A collector with another key is mirrored into a directory of its own.',
  },
  'mirror.evidence-invalid': {
    title: 'mirrored evidence was not signed by its device',
    remedy: 'Ask who operates the collector: it has signed a page that holds this.',
  },
  'mirror.verdict-unsupported': {
    title: 'the collector thought well of evidence whose quote does not hold',
    remedy: 'Ask who operates the collector: it has signed a page that says so.',
  },
  'mirror.run-invalid': {
    title: 'what was counted contradicts what the device has signed',
    remedy: 'Ask who operates the collector: evidence was changed, left out or counted twice.',
  },
  'mirror.log-invalid': {
    title: 'the decision log in the mirror does not hold',
    remedy: 'Ask the certifier for his own export of the log: keepseal inspect log FILE',
  },
  'mirror.gap': {
    title: 'something is missing in the mirror',
    remedy: 'Ask the vendor: devices lose messages when they are offline for long, and collectors remove old ones.',
  },

  ...advisoryErrors,
  ...sbomErrors,

  'usage.invalid': { title: 'the command line is not understood', remedy: 'See --help.' },
  'file.unreadable': { title: 'a file cannot be read', remedy: 'Check the path and its permissions.' },
  'internal.failure': { title: 'a fault of this software', remedy: 'Please report it with the log around it.' },
})

export type ErrorCode = keyof typeof errors
