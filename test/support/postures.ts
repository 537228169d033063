import type { SectionContents } from '../../shared/posture/sections.ts'

/** What a unit reports on which everything is as it should be, or is not there. */
export function goodPosture(): SectionContents {
  const absent = { missing: 'absent' } as const
  return {
    agent: {
      version: '1.0.0',
      form: 'one-file',
      program: { value: 'a'.repeat(64) },
      binding: absent,
      replaced: { value: false },
      runtime: { version: 'v20.19.0', flags: [] },
      user: 'other',
      configuration: [],
    },
    boot: {
      firmware: { vendor: absent, version: absent, date: absent },
      deviceTreeModel: absent,
      secureBoot: { value: true },
      setupMode: { value: false },
      commandLine: { value: 'quiet' },
      verity: { value: [] },
      lockdown: { value: 'integrity' },
      ima: { value: true },
      tpms: { value: [] },
      moduleSignatures: { value: true },
      kexec: { loadDisabled: { value: true }, loaded: { value: false } },
      iommu: absent,
      vulnerabilities: absent,
      mappings: {
        value: [
          { kind: { value: 'luks2' }, name: { value: 'data' } },
          { kind: { value: 'verity' }, name: { value: 'root' } },
        ],
      },
      fsVeritySignatures: absent,
    },
    tpm: {
      family: absent,
      revision: absent,
      manufacturer: absent,
      model: absent,
      firmware: absent,
      permanent: absent,
      startup: absent,
      lockout: absent,
      banks: [],
    },
    sockets: {
      listeners: [],
      tables: ['tcp'],
      owners: 'visible',
      namespaces: 'visible',
      bindings: 'visible',
      vsock: 'absent',
      truncated: false,
      total: 0,
      malformed: 0,
    },
    packages: {
      manager: 'dpkg',
      packages: [{ name: 'openssl', version: '3.0.16-1' }],
      total: 1,
      malformed: 0,
      incomplete: false,
    },
    'patch-level': {
      updates: {
        value: {
          manager: 'apt',
          pending: [],
          total: 0,
          security: 0,
          securityTold: true,
          lists: [],
          unnamed: 0,
          incomparable: 0,
          pins: false,
        },
      },
      kernel: { value: { running: 'newest' } },
      reboot: { value: 'not-flagged' },
      support: { value: { end: '2030-06-30', source: 'table' } },
      images: { value: [{ mechanism: 'rauc', versions: [{ name: 'system', version: '1' }] }] },
      bootLoader: absent,
      efiPrograms: absent,
    },
    system: { os: absent, kernel: { release: absent, machine: absent, build: absent } },
    'update-channel': {
      channels: [
        {
          manager: 'rauc',
          signatures: 'enforced',
          sources: [],
          keyrings: [],
          settings: [],
          automatic: { state: 'none', settings: [] },
          malformed: 0,
          unreadable: [],
          truncated: false,
        },
      ],
    },
    hardening: {
      mac: {
        modules: { value: 'lockdown,apparmor' },
        appArmor: { value: 'enabled' },
        profiles: absent,
        seLinux: absent,
        seLinuxConfigured: absent,
      },
      unconfined: { value: [] },
      mounts: absent,
      swap: { value: [] },
      settings: [],
      coreDumps: { pattern: absent, storage: absent, limit: absent },
      programs: { setId: [], writable: [], unread: [], limited: false },
      usb: { authorizedDefault: { value: ['0'] }, usbguard: 'absent', storage: absent },
      debug: {
        consoles: { value: [] },
        logins: { value: [] },
        debugFileSystem: { value: false },
        kernelDebugger: { value: false },
        memoryDevice: { value: 'none' },
      },
    },
    operations: {
      time: { services: [{ service: 'chrony', state: 'on' }], servers: [] },
      logging: {
        services: [{ service: 'rsyslog', state: 'on' }],
        targets: [{ service: 'rsyslog', address: 'logs.example', protocol: 'tcp', tls: 'on', selector: '*.*' }],
        journal: absent,
      },
      audit: {
        services: [{ service: 'auditd', state: 'on' }],
        commandLine: { value: 'on' },
        loginIds: { value: true },
        rules: absent,
      },
      unread: [],
      truncated: false,
    },
    firewall: {
      input: { ipv4: { value: 'filtered' }, ipv6: { value: 'filtered' } },
      rulesets: [],
      configuration: [],
    },
    access: {
      ssh: [],
      accounts: { value: { list: [], more: 0, malformed: 0, shadow: 'read' } },
      groups: absent,
      sources: absent,
      privileges: [],
      pam: absent,
      consoles: absent,
    },
  }
}

/** Somebody may come in without a password. */
export const withoutPassword = (): SectionContents['access'] => ({
  ...goodPosture().access,
  accounts: {
    value: {
      list: [
        {
          name: 'guest',
          superuser: false,
          shell: '/bin/sh',
          password: { value: 'empty' },
          keys: { missing: 'absent' },
        },
      ],
      more: 0,
      malformed: 0,
      shadow: 'read',
    },
  },
})
