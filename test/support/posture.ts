import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import type { HashFunction } from '../../shared/crypto/crypto.ts'
import type { Missing } from '../../shared/posture/observation.ts'
import { MISSING } from '../../shared/posture/observation.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import { SECTIONS, type SectionContents, type SectionId } from '../../shared/posture/sections.ts'
import { PASSWORD_KINDS } from '../../shared/posture/sections/access/accounts.ts'
import { PRIVILEGE_PROGRAMS } from '../../shared/posture/sections/access.ts'
import { AGENT_USERS, PROGRAM_FORMS } from '../../shared/posture/sections/agent.ts'
import { LOCKDOWN_MODES, MAPPING_KINDS } from '../../shared/posture/sections/boot.ts'
import { FIREWALL_MANAGERS, RULE_SOURCES } from '../../shared/posture/sections/firewall.ts'
import { BUNDLE_KINDS, PACKAGE_MANAGERS, PACKAGE_STATES } from '../../shared/posture/sections/packages.ts'
import { MOUNT_OPTIONS, OWNER_CLASSES, SWAP_KINDS, WRITABLE_BY } from '../../shared/posture/sections/hardening.ts'
import { SERVER_KINDS, SERVICE_STATES } from '../../shared/posture/sections/operations.ts'
import { IMAGE_MECHANISMS } from '../../shared/posture/sections/patch-level.ts'
import {
  EPHEMERAL,
  SOCKET_SCOPES,
  SOCKET_SIGHTS,
  SOCKET_TABLES,
  type Listener,
  type SocketProgram,
  type SocketsContent,
} from '../../shared/posture/sections/sockets.ts'
import { OS_FIELDS } from '../../shared/posture/sections/system.ts'
import { FIRMWARE_PCRS } from '../../shared/posture/sections/tpm.ts'
import {
  AUTOMATIC_STATES,
  MANAGERS,
  SETTING_EFFECTS,
  SIGNATURES,
} from '../../shared/posture/sections/update-channel.ts'

export const sha256: HashFunction = (algorithm, data) => new Uint8Array(createHash(algorithm).update(data).digest())

// Few different texts, so that equal names, and values that imitate the notation of others, come up often.
const text = fc.oneof(
  fc.constantFrom('a', 'b', 'a b', '(absent)', '"a"', 'a | b', 'a; held', '[::]:1', 'ä', ''),
  fc.string({ maxLength: 8, unit: fc.constantFrom(...'ab ():;|"\\') }),
)
const word = fc.string({ maxLength: 6, unit: fc.constantFrom(...'ab():;|"\\') })
const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom(...'ab') })
const version = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom(...'1a.:~') })
const count = fc.nat(3)
const settings = fc.array(fc.record({ name: text, value: text, effect: fc.constantFrom(...SETTING_EFFECTS) }), {
  maxLength: 2,
})
const observation = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ value: T } | { missing: Missing }> =>
  fc.oneof(
    fc.record({ value }),
    fc.constantFrom(...MISSING).map((missing) => ({ missing })),
  )

const digest = fc.constantFrom('a'.repeat(64), 'b'.repeat(64))
const services = fc.uniqueArray(fc.record({ service: text, state: fc.constantFrom(...SERVICE_STATES) }), {
  maxLength: 3,
  selector: ({ service }) => service,
})
const input = observation(fc.constantFrom('filtered' as const, 'open' as const))
const policy = fc.constantFrom('accept' as const, 'drop' as const)
const family = fc.constantFrom('ip', 'ip6', 'inet')
const sshSettings = fc.array(
  fc.record({
    name: fc.constantFrom('PasswordAuthentication', 'PermitRootLogin', 'UsePAM', 'Ciphers', 'LogLevel'),
    value: fc.oneof(fc.constantFrom('yes', 'no'), text),
  }),
  { maxLength: 4 },
)
const program = fc
  .record(
    { executable: text, unit: name, origin: fc.constantFrom('package', 'none', 'unknown'), package: name },
    { requiredKeys: ['executable', 'origin', 'package'] },
  )
  .map(({ package: itsPackage, ...rest }): SocketProgram =>
    rest.origin === 'package' ? { ...rest, package: itsPackage } : rest,
  )

/** Without the combinations that no socket has. */
const fitting = ({ ipv6Only, ...listener }: Listener): Listener => {
  const fit = withAddress(listener)
  return fit.family !== 'ipv6' || ipv6Only === undefined ? fit : { ...fit, ipv6Only }
}
const withAddress = ({ address, ...listener }: Listener): Listener => {
  if (listener.port === EPHEMERAL) return { ...listener, family: 'any' }
  if (listener.family === 'any' || listener.family === 'link') return { ...listener, family: 'link' }
  return address === undefined ? listener : { ...listener, address }
}

const agent = fc.record({
  version: text,
  form: fc.constantFrom(...PROGRAM_FORMS),
  program: observation(fc.constantFrom('a'.repeat(64), 'b'.repeat(64))),
  binding: observation(fc.constantFrom('a'.repeat(64), 'b'.repeat(64))),
  replaced: observation(fc.boolean()),
  runtime: fc.record({ version: text, flags: fc.array(text, { maxLength: 3 }) }),
  user: fc.constantFrom(...AGENT_USERS),
  configuration: fc.uniqueArray(fc.record({ option: text, value: text }), {
    maxLength: 3,
    selector: ({ option }) => option,
  }),
})

/** Contents that the schemas accept, drawn from small sets so that neighbours often differ in one field alone. */
export const contents: { readonly [S in SectionId]: fc.Arbitrary<SectionContents[S]> } = {
  agent,
  boot: fc.record({
    firmware: fc.record({ vendor: observation(text), version: observation(text), date: observation(text) }),
    deviceTreeModel: observation(text),
    secureBoot: observation(fc.boolean()),
    setupMode: observation(fc.boolean()),
    commandLine: observation(text),
    lockdown: observation(fc.constantFrom(...LOCKDOWN_MODES)),
    ima: observation(fc.boolean()),
    tpms: observation(fc.array(fc.record({ name: text, major: observation(fc.nat(2)) }), { maxLength: 3 })),
    verity: observation(fc.array(fc.record({ name: text, value: text }), { maxLength: 3 })),
    moduleSignatures: observation(fc.boolean()),
    kexec: fc.record({ loadDisabled: observation(fc.boolean()), loaded: observation(fc.boolean()) }),
    iommu: observation(fc.boolean()),
    vulnerabilities: observation(
      fc.uniqueArray(fc.record({ name: text, mitigation: observation(text) }), {
        maxLength: 3,
        selector: ({ name }) => name,
      }),
    ),
    mappings: observation(
      fc.array(fc.record({ kind: observation(fc.constantFrom(...MAPPING_KINDS)), name: observation(text) }), {
        maxLength: 3,
      }),
    ),
    fsVeritySignatures: observation(fc.boolean()),
  }),
  tpm: fc.record({
    family: observation(fc.constantFrom('2.0', '(a)', '')),
    revision: observation(count),
    manufacturer: observation(fc.constantFrom('IFX', 'STM')),
    model: observation(text),
    firmware: observation(text),
    permanent: observation(
      fc.record({
        ownerAuthSet: fc.boolean(),
        endorsementAuthSet: fc.boolean(),
        lockoutAuthSet: fc.boolean(),
        disableClear: fc.boolean(),
        inLockout: fc.boolean(),
      }),
    ),
    startup: observation(
      fc.record({ phEnable: fc.boolean(), shEnable: fc.boolean(), ehEnable: fc.boolean(), phEnableNV: fc.boolean() }),
    ),
    lockout: observation(fc.record({ maxAuthFail: count, intervalSeconds: count, recoverySeconds: count })),
    banks: fc.uniqueArray(
      fc.record({
        bank: fc.constantFrom('sha1', 'sha256', 'a'),
        firmwarePcrs: observation(fc.constantFrom(...FIRMWARE_PCRS)),
      }),
      { maxLength: 3, selector: ({ bank }) => bank },
    ),
  }),
  sockets: fc
    .record({
      listeners: fc.array(
        fc
          .record(
            {
              protocol: fc.constantFrom('tcp', 'udp', 'packet'),
              family: fc.constantFrom('ipv4', 'ipv6', 'link', 'any'),
              scope: fc.constantFrom(...SOCKET_SCOPES),
              address: fc.constantFrom('0.0.0.0', '127.0.0.1', '::', '::1'),
              port: fc.constantFrom<number | typeof EPHEMERAL>(22, 53, EPHEMERAL),
              owner: fc.constantFrom('known', 'hidden', 'none'),
              namespace: name,
              interfaces: fc.array(name, { maxLength: 2 }),
              ipv6Only: fc.boolean(),
              programs: fc.array(program, { minLength: 1, maxLength: 3 }),
            },
            { requiredKeys: ['protocol', 'family', 'scope', 'port', 'owner'] },
          )
          .map(fitting),
        { maxLength: 4 },
      ),
      tables: fc.subarray([...SOCKET_TABLES]),
      owners: fc.constantFrom('visible', 'no-permission', 'bounded'),
      namespaces: fc.constantFrom('visible', 'no-permission', 'bounded', 'unreadable'),
      bindings: fc.constantFrom(...SOCKET_SIGHTS),
      vsock: fc.constantFrom(...SOCKET_SIGHTS),
      truncated: fc.boolean(),
      total: count,
      malformed: count,
    })
    .map((content): SocketsContent => {
      const { listeners } = SECTIONS.sockets.canonical(content)
      return { ...content, total: listeners.length + (content.truncated ? 1 + content.total : 0) }
    }),
  packages: fc.record(
    {
      manager: fc.constantFrom(...PACKAGE_MANAGERS, 'none'),
      others: fc.array(fc.constantFrom(...PACKAGE_MANAGERS), { minLength: 1, maxLength: 3 }),
      packages: fc.array(
        fc.record(
          {
            name,
            architecture: fc.constantFrom('amd64', 'all'),
            version,
            source: name,
            sourceVersion: version,
            state: fc.constantFrom(...PACKAGE_STATES),
            held: fc.constant(true),
            reinstallRequired: fc.constant(true),
          },
          { requiredKeys: ['name', 'version'] },
        ),
        { maxLength: 4 },
      ),
      total: count,
      malformed: count,
      incomplete: fc.boolean(),
      bundles: fc.array(
        fc.record({
          kind: fc.constantFrom(...BUNDLE_KINDS),
          status: fc.constantFrom('read', 'incomplete', 'no-permission'),
          bundles: fc.array(fc.record({ name: text, version: text }), { maxLength: 3 }),
          total: count,
        }),
        { minLength: 1, maxLength: 3 },
      ),
    },
    { requiredKeys: ['manager', 'packages', 'total', 'malformed', 'incomplete'] },
  ),
  'patch-level': fc.record({
    updates: observation(
      fc.record({
        manager: fc.constantFrom('apt', 'apk', 'opkg', 'dnf'),
        pending: fc.array(
          fc.record(
            {
              name,
              architecture: fc.constantFrom('amd64', 'all'),
              installed: version,
              candidate: version,
              security: fc.boolean(),
            },
            { requiredKeys: ['name', 'installed', 'candidate', 'security'] },
          ),
          { maxLength: 4 },
        ),
        total: count,
        security: count,
        securityTold: fc.boolean(),
        lists: fc.array(
          fc.record({ name: text, status: fc.constantFrom('read', 'compressed', 'absent'), security: fc.boolean() }),
          { maxLength: 3 },
        ),
        unnamed: count,
        incomparable: count,
        pins: fc.boolean(),
      }),
    ),
    kernel: observation(
      fc.record(
        { running: fc.constantFrom('newest', 'older', 'unlisted'), newest: text },
        { requiredKeys: ['running'] },
      ),
    ),
    reboot: observation(fc.constantFrom('required', 'not-flagged')),
    support: observation(
      fc.record(
        {
          end: fc.constantFrom('2026-01-01', '2027-01-01'),
          extendedEnd: fc.constantFrom('2028-01-01', '2029-01-01'),
          source: fc.constantFrom('os-release', 'table'),
        },
        { requiredKeys: ['end', 'source'] },
      ),
    ),
    images: observation(
      fc.uniqueArray(
        fc.record({
          mechanism: fc.constantFrom(...IMAGE_MECHANISMS),
          versions: fc.array(fc.record({ name: text, version: text }), { maxLength: 2 }),
        }),
        { minLength: 1, maxLength: 3, selector: ({ mechanism }) => mechanism },
      ),
    ),
    bootLoader: observation(fc.array(fc.record({ name: text, version: text }), { maxLength: 3 })),
    efiPrograms: observation(fc.array(fc.record({ name: text, version: text }), { maxLength: 3 })),
  }),
  system: fc.record({
    os: observation(
      fc.record(Object.fromEntries(Object.keys(OS_FIELDS).map((name) => [name, text])), { requiredKeys: [] }),
    ),
    kernel: fc.record({ release: observation(text), machine: observation(text), build: observation(text) }),
  }),
  'update-channel': fc.record({
    channels: fc.uniqueArray(
      fc.record({
        manager: fc.constantFrom(...MANAGERS.slice(0, 2)),
        signatures: fc.constantFrom(...SIGNATURES),
        sources: fc.array(
          fc.record({
            id: text,
            uris: fc.array(word, { maxLength: 2 }),
            transports: fc.array(name, { maxLength: 2 }),
            signatures: fc.constantFrom(...SIGNATURES, 'default' as const),
            signedBy: fc.array(text, { maxLength: 2 }),
            settings,
          }),
          { maxLength: 2 },
        ),
        keyrings: fc.array(
          fc.record({
            path: text,
            trustedForAll: fc.boolean(),
            status: fc.constantFrom('read' as const, ...MISSING),
            keys: fc.array(
              fc.record(
                {
                  fingerprint: fc.constantFrom('A'.repeat(40), 'B'.repeat(40)),
                  expires: fc.constantFrom(-1, 0, 1, 1_700_000_000, 1e15),
                },
                { requiredKeys: ['fingerprint'] },
              ),
              { maxLength: 2 },
            ),
          }),
          { maxLength: 2 },
        ),
        settings,
        automatic: fc.record({ state: fc.constantFrom(...AUTOMATIC_STATES), settings }),
        malformed: count,
        unreadable: fc.array(text, { maxLength: 2 }),
        truncated: fc.boolean(),
      }),
      { maxLength: 2, selector: ({ manager }) => manager },
    ),
  }),
  hardening: fc.record({
    mac: fc.record({
      modules: observation(text),
      appArmor: observation(fc.constantFrom('enabled', 'disabled')),
      profiles: observation(
        fc.record({
          modes: fc.uniqueArray(fc.record({ mode: fc.constantFrom('enforce', 'complain', 'a'), count }), {
            maxLength: 3,
            selector: ({ mode }) => mode,
          }),
          notEnforced: fc.array(text, { maxLength: 2 }),
          digest,
        }),
      ),
      seLinux: observation(fc.constantFrom('enforcing', 'permissive', 'disabled')),
      seLinuxConfigured: observation(fc.record({ mode: text, policy: text })),
    }),
    unconfined: observation(fc.array(text, { maxLength: 3 })),
    mounts: observation(
      fc.record({
        source: fc.constantFrom('init', 'own'),
        points: fc.uniqueArray(
          fc.record({ point: text, type: text, options: fc.subarray([...MOUNT_OPTIONS], { maxLength: 3 }) }),
          { maxLength: 3, selector: ({ point }) => point },
        ),
        malformed: count,
      }),
    ),
    swap: observation(fc.subarray([...SWAP_KINDS])),
    settings: fc.uniqueArray(fc.record({ name: text, value: observation(text) }), {
      maxLength: 3,
      selector: ({ name: setting }) => setting,
    }),
    coreDumps: fc.record({ pattern: observation(text), storage: observation(text), limit: observation(text) }),
    programs: fc.record(
      {
        setId: fc.uniqueArray(
          fc.record({
            path: text,
            mode: fc.constantFrom('4755', '2755'),
            owner: fc.constantFrom(...OWNER_CLASSES),
            group: fc.constantFrom(...OWNER_CLASSES),
          }),
          { maxLength: 3, selector: ({ path }) => path },
        ),
        setIdCut: fc.record({ total: count, digest }),
        writable: fc.uniqueArray(fc.record({ path: text, by: fc.constantFrom(...WRITABLE_BY) }), {
          maxLength: 3,
          selector: ({ path }) => path,
        }),
        writableCut: fc.record({ total: count, digest }),
        unread: fc.uniqueArray(fc.record({ path: text, why: fc.constantFrom(...MISSING, 'other-file-system') }), {
          maxLength: 3,
          selector: ({ path }) => path,
        }),
        limited: fc.boolean(),
      },
      { requiredKeys: ['setId', 'writable', 'unread', 'limited'] },
    ),
    usb: fc.record({
      authorizedDefault: observation(fc.array(text, { maxLength: 2 })),
      usbguard: fc.constantFrom('absent', 'masked', 'disabled', 'enabled', 'stopped', 'unknown'),
      storage: observation(fc.constantFrom('blocked', 'allowed')),
    }),
    debug: fc.record({
      consoles: observation(fc.array(text, { maxLength: 2 })),
      logins: observation(
        fc.array(fc.record({ terminal: text, kind: fc.constantFrom('login', 'shell', 'automatic') }), {
          maxLength: 3,
        }),
      ),
      debugFileSystem: observation(fc.boolean()),
      kernelDebugger: observation(fc.boolean()),
      memoryDevice: observation(fc.constantFrom('none', 'restricted', 'open')),
    }),
  }),
  operations: fc.record({
    time: fc.record({
      services,
      servers: fc.array(
        fc.record({ service: text, kind: fc.constantFrom(...SERVER_KINDS), address: text, nts: fc.boolean() }),
        { maxLength: 3 },
      ),
    }),
    logging: fc.record({
      services,
      targets: fc.array(
        fc.record({
          service: text,
          address: text,
          protocol: text,
          tls: fc.constantFrom('on', 'off', 'unknown'),
          selector: text,
        }),
        { maxLength: 3 },
      ),
      journal: observation(
        fc.record({
          storage: fc.constantFrom('persistent', 'volatile', 'none', 'unknown'),
          forwardToSyslog: fc.boolean(),
        }),
      ),
    }),
    audit: fc.record({
      services,
      commandLine: observation(fc.constantFrom('on', 'off', 'default')),
      loginIds: observation(fc.boolean()),
      rules: observation(fc.record({ count, digest, locked: fc.boolean() })),
    }),
    unread: fc.uniqueArray(fc.record({ path: text, why: fc.constantFrom(...MISSING) }), {
      maxLength: 3,
      selector: ({ path }) => path,
    }),
    truncated: fc.boolean(),
  }),
  firewall: fc.record({
    input: fc.record({ ipv4: input, ipv6: input }),
    rulesets: fc.uniqueArray(
      fc.record({
        source: fc.constantFrom(...RULE_SOURCES),
        rules: observation(
          fc.record({
            digest,
            chains: fc.array(
              fc.record(
                {
                  family,
                  table: name,
                  name,
                  base: fc.record(
                    {
                      type: fc.constantFrom('filter', 'nat'),
                      hook: fc.constantFrom('input', 'forward', 'a'),
                      priority: fc.constantFrom(-1, 0),
                      policy,
                      devices: fc.array(text, { maxLength: 2 }),
                    },
                    { requiredKeys: ['type', 'hook', 'policy', 'devices'] },
                  ),
                  dormant: fc.constant(true as const),
                  rules: count,
                  digest,
                },
                { requiredKeys: ['family', 'table', 'name', 'rules', 'digest'] },
              ),
              { maxLength: 3 },
            ),
            objects: fc.array(fc.record({ kind: name, family, table: name, name: text, digest }), { maxLength: 2 }),
          }),
        ),
      }),
      { maxLength: 3, selector: ({ source }) => source },
    ),
    configuration: fc.array(
      fc.record({
        manager: fc.constantFrom(...FIREWALL_MANAGERS),
        path: text,
        content: fc.oneof(digest, fc.constantFrom(...MISSING)),
      }),
      { maxLength: 2 },
    ),
  }),
  access: fc.record({
    ssh: fc.array(
      fc.record(
        {
          program: fc.constantFrom('sshd', 'dropbear'),
          instance: name,
          basis: fc.constantFrom('effective', 'configuration'),
          settings: observation(sshSettings),
          matches: observation(
            fc.array(fc.record({ position: count, condition: text, settings: sshSettings }), { maxLength: 2 }),
          ),
          options: observation(text),
        },
        { requiredKeys: ['program', 'basis', 'settings', 'matches', 'options'] },
      ),
      { maxLength: 2 },
    ),
    accounts: observation(
      fc.record({
        list: fc.array(
          fc.record({
            name,
            superuser: fc.boolean(),
            shell: text,
            password: observation(fc.constantFrom(...PASSWORD_KINDS)),
            keys: observation(fc.record({ count, digest })),
          }),
          { maxLength: 3 },
        ),
        more: count,
        malformed: count,
        shadow: fc.constantFrom('read', ...MISSING),
      }),
    ),
    groups: observation(
      fc.record({
        list: fc.array(fc.record({ name, groups: fc.array(text, { minLength: 1, maxLength: 2 }) }), { maxLength: 2 }),
        more: count,
        malformed: count,
      }),
    ),
    sources: observation(
      fc.array(fc.record({ database: fc.constantFrom('passwd', 'group'), services: text }), { maxLength: 2 }),
    ),
    privileges: fc.uniqueArray(
      fc.record({
        program: fc.constantFrom(...PRIVILEGE_PROGRAMS),
        rules: observation(fc.record({ count, digest, withoutPassword: fc.array(text, { maxLength: 2 }) })),
      }),
      { maxLength: 2, selector: ({ program }) => program },
    ),
    pam: observation(fc.array(fc.record({ service: text, digest }), { maxLength: 2 })),
    consoles: observation(fc.array(text, { maxLength: 2 })),
  }),
}

export const measured = <S extends SectionId>(content: SectionContents[S]): SectionReading<S> => ({
  status: 'measured',
  content,
})
