import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { updateChannelSensor } from '../../../../agent/sensors/update-channel.ts'
import type { Reading } from '../../../../agent/sensors/sensor.ts'
import { decodeSection, encodeSection } from '../../../../shared/posture/canonical.ts'
import type { UpdateChannel } from '../../../../shared/posture/sections/update-channel.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { sha256 } from '../../../support/posture.ts'
import { authority, TEST_NOW, testKey, YEAR_MS } from '../../../support/test-certificates.ts'

const NOW = TEST_NOW / 1000

const measure = (tree: Tree) =>
  updateChannelSensor.measure(treeHost(tree, { now: () => NOW })) as Reading<'update-channel'>

function measured(tree: Tree) {
  const reading = measure(tree)
  if (reading.status !== 'measured') throw new Error(JSON.stringify(reading))
  // What is measured has to fit the schema that the collector holds it to.
  expect(decodeSection('update-channel', encodeSection('update-channel', reading, sha256).bytes).status).toBe(
    'measured',
  )
  return reading
}

function channelOf(tree: Tree): UpdateChannel {
  const [channel, ...others] = measured(tree).content.channels
  if (channel === undefined || others.length > 0) throw new Error('not one channel')
  return channel
}

const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`
const fingerprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex').toUpperCase()
const valueOf = (channel: UpdateChannel, name: string) => channel.settings.find((one) => one.name === name)

const root = authority('Vendor', null, { notAfter: TEST_NOW + YEAR_MS })
const rootKey = { fingerprint: fingerprint(root.der), expires: (TEST_NOW + YEAR_MS) / 1000 }
const key = testKey()
const keyPem = pem('PUBLIC KEY', key.publicKeyInfo)
/** RFC 9580 appendix A.1. */
const OPENPGP = Buffer.from('xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY=', 'base64')
const OPENPGP_FINGERPRINT = 'C959BDBAFA32A2F89A153B678CFDE12197965A9A'

const enabled = (unit: string, target = 'multi-user.target'): Tree => ({
  [`/usr/lib/systemd/system/${unit}`]: target === 'timers.target' ? '[Timer]\nOnCalendar=*-*-* 6:00\n' : '[Service]\n',
  [`/etc/systemd/system/${target}.wants/${unit}`]: { link: `/usr/lib/systemd/system/${unit}` },
})

describe('dnf', () => {
  const FEDORA: Tree = {
    '/etc/dnf/dnf.conf': '[main]\ngpgcheck=True\ninstallonly_limit=3\nproxy=http://u:p@proxy:3128\npassword=hunter2\n',
    '/etc/yum.repos.d/fedora.repo': [
      '[fedora]',
      'name=Fedora $releasever - $basearch',
      '#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/Everything/$basearch/os/',
      'metalink=https://mirrors.fedoraproject.org/metalink?repo=fedora-$releasever&arch=$basearch',
      'enabled=1',
      'countme=1',
      'repo_gpgcheck=0',
      'gpgcheck=1',
      'gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-$releasever-$basearch',
      '',
      '[fedora-source]',
      'name=source',
      'baseurl=https://x/',
      'enabled=0',
    ].join('\n'),
    '/etc/yum.repos.d/own.repo': '[own]\nbaseurl=http://own/a\n  http://own/b\nsslverify=0\n',
    '/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-42-x86_64': OPENPGP,
    '/var/cache/dnf/fedora-1/repodata/repomd.xml': { modified: NOW - 600 },
    '/var/lib/rpm/rpmdb.sqlite': { modified: NOW - 60 },
    ...enabled('dnf-automatic.timer', 'timers.target'),
    '/etc/dnf/automatic.conf': '[commands]\nupgrade_type = security\napply_updates = yes\n',
  }

  test('a system in the form of Fedora', () => {
    const channel = channelOf(FEDORA)
    expect(channel).toMatchObject({
      manager: 'dnf',
      signatures: 'enforced',
      sources: [
        {
          id: 'fedora',
          uris: ['https://mirrors.fedoraproject.org/metalink?[redacted]'],
          transports: ['https'],
          signatures: 'enforced',
          signedBy: ['/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-$releasever-$basearch'],
        },
        {
          id: 'own',
          uris: ['http://own/a', 'http://own/b'],
          signatures: 'default',
          settings: [{ name: 'sslverify', value: '0', effect: 'weakens' }],
        },
      ],
      keyrings: [{ status: 'read', keys: [{ fingerprint: OPENPGP_FINGERPRINT }] }],
      automatic: { state: 'on' },
      malformed: 0,
    })
    expect(channel.settings).toEqual([
      { name: 'proxy', value: 'http://[redacted]@proxy:3128', effect: 'none' },
      { name: 'password', value: 'present', effect: 'none' },
    ])
    expect(measured(FEDORA).state).toMatchObject({
      'update-channel.last-check-age': 600,
      'update-channel.last-check-source': 'repomd',
      'update-channel.last-install-age': 60,
    })
  })

  test('packages are not checked unless it is said, in the main file or a drop-in', () => {
    expect(channelOf({ '/etc/dnf/dnf.conf': '[main]\n' }).signatures).toBe('not-enforced')
    const dropIn = { '/usr/share/dnf5/libdnf.conf.d/20-fedora-defaults.conf': '[main]\ngpgcheck=1\n' }
    expect(channelOf({ ...dropIn, '/etc/dnf/dnf.conf': '[main]\n' }).signatures).toBe('enforced')
    expect(channelOf({ ...dropIn, '/etc/dnf/dnf.conf': '[main]\ngpgcheck=0\n' }).signatures).toBe('not-enforced')
  })

  test('a repository without gpgcheck=1 of its own says so', () => {
    const repo = (more: string) =>
      channelOf({ '/etc/yum.repos.d/x.repo': `[x]\nbaseurl=http://x\n${more}\n` }).sources[0]?.signatures
    expect(repo('gpgcheck=0')).toBe('not-enforced')
    expect(repo('pkg_gpgcheck=0\ngpgcheck=1')).toBe('not-enforced')
    expect(repo('gpgcheck=2')).toBe('default')
  })

  test('automatic updates are off where they are only downloaded, unless the timer itself installs', () => {
    const conf = { '/etc/dnf/dnf.conf': '', '/etc/dnf/automatic.conf': '[commands]\napply_updates = no\n' }
    const stateOf = (tree: Tree) => channelOf({ ...conf, ...tree }).automatic.state
    expect(stateOf(enabled('dnf-automatic.timer', 'timers.target'))).toBe('off')
    expect(stateOf(enabled('dnf-automatic-install.timer', 'timers.target'))).toBe('on')
    expect(stateOf({})).toBe('none')
  })
})

describe('apk', () => {
  const ALPINE: Tree = {
    '/etc/apk/repositories':
      'https://dl-cdn.alpinelinux.org/alpine/v3.21/main\n#http://x/testing\n@edge http://u:p@x/edge/main\n/media/sda1/apks\n',
    '/etc/apk/keys/alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub': keyPem,
    '/etc/apk/world': 'alpine-base\n',
    '/lib/apk/db/installed': { modified: NOW - 5 },
    '/var/cache/apk/APKINDEX.0.tar.gz': { modified: NOW - 50 },
  }

  test('a system in the form of Alpine', () => {
    expect(channelOf(ALPINE)).toMatchObject({
      manager: 'apk',
      signatures: 'enforced',
      sources: [
        { id: 'https://dl-cdn.alpinelinux.org/alpine/v3.21/main', transports: ['https'], signatures: 'default' },
        { id: '@edge http://[redacted]@x/edge/main', transports: ['http'] },
        { id: '/media/sda1/apks', transports: ['file'] },
      ],
      keyrings: [{ trustedForAll: true, status: 'read', keys: [{ fingerprint: fingerprint(key.publicKeyInfo) }] }],
      settings: [],
      automatic: { state: 'none' },
      malformed: 0,
    })
    expect(measured(ALPINE).state).toEqual({
      'update-channel.last-check-age': 50,
      'update-channel.last-check-source': 'apkindex',
      'update-channel.last-install-age': 5,
    })
  })

  test('options for every call: allow-untrusted', () => {
    const settings = (text: string) => channelOf({ ...ALPINE, '/etc/apk/config': text }).settings
    expect(settings('cache-max-age 60\nallow-untrusted\n')).toEqual([
      { name: 'allow-untrusted', value: 'yes', effect: 'unsigned' },
    ])
    expect(settings('--allow-untrusted=no')).toEqual([{ name: 'allow-untrusted', value: 'no', effect: 'none' }])
  })
})

describe('opkg', () => {
  // Of OpenWrt: `Ed`, a key number, a key.
  const usign = Buffer.concat([Buffer.from('Ed'), Buffer.from('0b26f36ae0f4106d', 'hex'), Buffer.alloc(32, 7)])
  const OPENWRT: Tree = {
    '/etc/opkg.conf':
      'dest root /\ndest ram /tmp\nlists_dir ext /var/opkg-lists\noption overlay_root /overlay\noption check_signature\noption http_auth u:p\n',
    '/etc/opkg/distfeeds.conf':
      'src/gz openwrt_core https://downloads.openwrt.org/releases/23.05.5/targets/x/packages\n',
    '/etc/opkg/customfeeds.conf': '# add your custom package feeds here\n#\n# src/gz example http://x\n',
    '/etc/opkg/keys/0b26f36ae0f4106d': `untrusted comment: OpenWrt\n${usign.toString('base64')}\n`,
    '/var/opkg-lists/openwrt_core': { modified: NOW - 9 },
    '/usr/lib/opkg/status': { modified: NOW - 3 },
  }

  test('a system in the form of OpenWrt', () => {
    expect(channelOf(OPENWRT)).toEqual({
      manager: 'opkg',
      signatures: 'enforced',
      sources: [
        {
          id: 'openwrt_core',
          uris: ['https://downloads.openwrt.org/releases/23.05.5/targets/x/packages'],
          transports: ['https'],
          signatures: 'default',
          signedBy: [],
          settings: [],
        },
      ],
      keyrings: [
        {
          path: '/etc/opkg/keys/0b26f36ae0f4106d',
          trustedForAll: true,
          status: 'read',
          keys: [{ fingerprint: '0B26F36AE0F4106D' }],
        },
      ],
      settings: [{ name: 'http_auth', value: 'present', effect: 'none' }],
      automatic: { state: 'none', settings: [] },
      malformed: 0,
      unreadable: [],
      truncated: false,
    })
  })

  test('without check_signature nothing is checked', () => {
    const conf = (text: string) => channelOf({ ...OPENWRT, '/etc/opkg.conf': text }).signatures
    expect(conf('dest root /\n')).toBe('not-enforced')
    expect(conf('option check_signature 0\n')).toBe('not-enforced')
    expect(conf('option check_pkg_signature 1\n')).toBe('enforced')
  })
})

describe('RAUC', () => {
  const CONF = [
    '[system]',
    'compatible=Gateway X',
    'bootloader=uboot',
    'bundle-formats=-plain',
    'data-directory=/data/rauc',
    '[keyring]',
    'path=keyring.pem',
    'check-purpose=codesign',
    '[streaming]',
    'tls-key=pkcs11:token=a?pin-value=1234',
    'tls-cert=pkcs11:token=serial-42?pin-value=1234',
    '[slot.rootfs.0]',
    'device=/dev/mmcblk0p2',
  ].join('\n')
  const RAUC: Tree = {
    '/etc/rauc/system.conf': CONF,
    '/etc/rauc/keyring.pem': `${pem('CERTIFICATE', root.der)}${pem('X509 CRL', root.der)}`,
    '/data/rauc/central.raucs':
      '[slot.rootfs.0]\ninstalled.timestamp=2026-11-20T12:00:00Z\n[slot.rootfs.1]\nstatus=ok\n',
  }

  test('an image with a keyring', () => {
    const channel = channelOf(RAUC)
    expect(channel).toMatchObject({
      manager: 'rauc',
      signatures: 'enforced',
      sources: [],
      keyrings: [{ path: '/etc/rauc/keyring.pem', status: 'read', keys: [rootKey] }],
      automatic: { state: 'none' },
    })
    expect(valueOf(channel, 'compatible')?.value).toBe('Gateway X')
    expect(valueOf(channel, 'streaming tls-key')?.value).toBe('present')
    expect(valueOf(channel, 'streaming tls-cert')?.value).toBe('pkcs11:[redacted]')
    expect(measured(RAUC).state).toEqual({
      'update-channel.key-expiry': rootKey.expires,
      'update-channel.last-install-age': NOW - Date.UTC(2026, 10, 20, 12) / 1000,
    })
  })

  test('what weakens the check of certificates', () => {
    const conf = `${CONF}\n[keyring]\nallow-partial-chain=true\nuse-bundle-signing-time=true\n`
    const weak = channelOf({ ...RAUC, '/etc/rauc/system.conf': conf }).settings.filter(
      ({ effect }) => effect !== 'none',
    )
    expect(weak.map(({ name }) => name)).toEqual(['keyring allow-partial-chain', 'keyring use-bundle-signing-time'])
  })

  test.each([
    ['damaged', pem('CERTIFICATE', root.der.subarray(0, 60))],
    ['followed by more', pem('CERTIFICATE', Buffer.concat([root.der, Buffer.from('x')]))],
    ['one of two damaged', pem('CERTIFICATE', root.der) + pem('CERTIFICATE', Buffer.from('x'))],
    ['with a block of another kind', pem('CERTIFICATE', root.der) + pem('TRUSTED CERTIFICATE', root.der)],
    ['no certificate', keyPem],
    ['empty', ''],
  ])('a keyring that is %s is malformed', (_, text) => {
    const [keyring] = channelOf({ ...RAUC, '/etc/rauc/keyring.pem': text }).keyrings
    expect(keyring).toMatchObject({ status: 'malformed', keys: [] })
  })
})

describe('SWUpdate', () => {
  const CFG = `globals : { public-key-file = "/etc/swupdate/public.pem"; no-downgrading = "1.0"; aes-key-file = "/k"; };
    suricatta : { tenant = "default"; id = "unit-7"; url = "https://u:p@hawkbit.example/"; polldelay = 360;
      targettoken = "s3cret"; nocheckcert = true; };`
  const SWUPDATE: Tree = {
    '/etc/swupdate.cfg': CFG,
    '/etc/swupdate/public.pem': keyPem,
    ...enabled('swupdate.service'),
  }

  test('a daemon that asks a server', () => {
    const channel = channelOf(SWUPDATE)
    expect(channel).toMatchObject({
      manager: 'swupdate',
      signatures: 'enforced',
      sources: [
        {
          id: 'suricatta',
          uris: ['https://[redacted]@hawkbit.example/'],
          transports: ['https'],
          signatures: 'default',
        },
      ],
      keyrings: [{ path: '/etc/swupdate/public.pem', keys: [{ fingerprint: fingerprint(key.publicKeyInfo) }] }],
      automatic: { state: 'on' },
    })
    expect(channel.sources[0]?.settings).toContainEqual({
      name: 'suricatta.nocheckcert',
      value: 'true',
      effect: 'weakens',
    })
    expect(valueOf(channel, 'globals.no-downgrading')?.value).toBe('1.0')
    expect(JSON.stringify(channel)).not.toMatch(/s3cret|unit-7|u:p/)
  })

  test('the key can be an argument of the service', () => {
    const { '/etc/swupdate.cfg': _, ...rest } = SWUPDATE
    const snippet = 'SWUPDATE_ARGS="${SWUPDATE_ARGS} -k /etc/swupdate/public.pem -e stable,copy1"\n'
    expect(channelOf({ ...rest, '/etc/swupdate/conf.d/10-key': snippet })).toMatchObject({
      signatures: 'enforced',
      keyrings: [{ status: 'read' }],
    })
  })

  test('without a key it is not known whether signatures are demanded', () => {
    expect(channelOf({ '/etc/swupdate.cfg': 'globals : { verbose = true; };' }).signatures).toBe('unknown')
  })

  test('a stopped or disabled daemon asks nobody', () => {
    const { '/etc/systemd/system/multi-user.target.wants/swupdate.service': _, ...disabled } = SWUPDATE
    expect(channelOf(disabled).automatic.state).toBe('off')
  })
})

describe('Mender', () => {
  const CONF = {
    ServerURL: 'https://hosted.mender.io',
    TenantToken: 'eyJhbGciOiJSUzI1NiJ9.secret',
    ArtifactVerifyKey: '/etc/mender/artifact-verify-key.pem',
    UpdatePollIntervalSeconds: 1800,
    HttpsClient: { Certificate: '/c.pem', Key: 'pkcs11:pin' },
  }
  const mender = (conf: object, more: Tree = {}): Tree => ({
    '/etc/mender/mender.conf': JSON.stringify(conf),
    '/etc/mender/artifact-verify-key.pem': keyPem,
    ...enabled('mender-updated.service'),
    ...more,
  })

  test('a client with a key for artifacts', () => {
    const channel = channelOf(mender(CONF))
    expect(channel).toMatchObject({
      manager: 'mender',
      signatures: 'enforced',
      sources: [{ id: 'server', uris: ['https://hosted.mender.io'], transports: ['https'] }],
      keyrings: [{ keys: [{ fingerprint: fingerprint(key.publicKeyInfo) }] }],
      automatic: { state: 'on' },
    })
    expect(valueOf(channel, 'UpdatePollIntervalSeconds')?.value).toBe('1800')
    expect(JSON.stringify(channel)).not.toMatch(/secret|pkcs11:pin/)
  })

  test('without a key artifacts need no signature', () => {
    expect(channelOf(mender({ ...CONF, ArtifactVerifyKey: undefined })).signatures).toBe('not-enforced')
  })

  test('several servers and keys, and certificates that are not checked', () => {
    const { ServerURL, ...rest } = CONF
    const conf = {
      ...rest,
      Servers: [{ ServerURL }, { ServerURL: 'https://b' }],
      ArtifactVerifyKeys: ['/b.pem'],
      SkipVerify: true,
    }
    const channel = channelOf(mender(conf))
    expect(channel.sources[0]?.uris).toEqual(['https://hosted.mender.io', 'https://b'])
    expect(channel.keyrings.map(({ status }) => status)).toEqual(['read', 'absent'])
    expect(valueOf(channel, 'SkipVerify')?.effect).toBe('weakens')
  })

  test('keys for some types of updates alone leave it open whether the others need one', () => {
    const limited = { Path: '/etc/mender/artifact-verify-key.pem', UpdateTypes: ['rootfs-image'] }
    const channel = (key: object) =>
      channelOf(mender({ ...CONF, ArtifactVerifyKey: undefined, ArtifactVerifyKeys: [key] }))
    expect(channel(limited)).toMatchObject({ signatures: 'unknown', keyrings: [{ status: 'read' }] })
    expect(channel({ ...limited, UpdateTypes: [] }).signatures).toBe('enforced')
  })

  test('the main file holds over the one with the data', () => {
    const fallback = {
      '/var/lib/mender/mender.conf': JSON.stringify({ ServerURL: 'https://old', UpdatePollIntervalSeconds: 1 }),
    }
    expect(channelOf(mender({ ServerURL: 'https://new' }, fallback))).toMatchObject({
      sources: [{ uris: ['https://new'] }],
      settings: [{ name: 'UpdatePollIntervalSeconds', value: '1' }],
    })
  })

  test.each(['', '[]', '{', '"x"', '{"ServerURL": 5}\0'])('%j is malformed, not unsigned', (text) => {
    expect(channelOf({ '/etc/mender/mender.conf': text })).toMatchObject({ signatures: 'unknown', malformed: 1 })
  })
})

describe('OSTree', () => {
  const OSTREE: Tree = {
    '/ostree/repo/config':
      '[core]\nrepo_version=1\nmode=bare\n\n[remote "fedora-iot"]\nurl=https://ostree.example/iot\ngpg-verify=true\ngpgkeypath=/etc/pki/rpm-gpg/\n',
    '/etc/ostree/remotes.d/own.conf': '[remote "own"]\nurl=http://own/repo\ngpg-verify=false\ntls-permissive=true\n',
    '/etc/pki/rpm-gpg/KEY': OPENPGP,
    '/ostree/repo/own.trustedkeys.gpg': OPENPGP,
    '/etc/rpm-ostreed.conf': '[Daemon]\nAutomaticUpdatePolicy=stage\n',
    ...enabled('rpm-ostreed-automatic.timer', 'timers.target'),
    '/ostree/deploy/fedora-iot/deploy': { modified: NOW - 70 },
  }

  test('remotes, their own rules and keys', () => {
    const channel = channelOf(OSTREE)
    expect(channel).toMatchObject({
      manager: 'ostree',
      signatures: 'enforced',
      sources: [
        {
          id: 'fedora-iot',
          uris: ['https://ostree.example/iot'],
          signatures: 'enforced',
          signedBy: ['/etc/pki/rpm-gpg/KEY'],
        },
        { id: 'own', signatures: 'not-enforced', signedBy: ['/ostree/repo/own.trustedkeys.gpg'] },
      ],
      automatic: { state: 'on' },
    })
    expect(channel.sources[1]?.settings).toContainEqual({ name: 'tls-permissive', value: 'true', effect: 'weakens' })
    expect(measured(OSTREE).state).toEqual({ 'update-channel.last-install-age': 70 })
  })

  test('a remote is checked by default, and by another kind of signature too', () => {
    const remote = (text: string) =>
      channelOf({ '/ostree/repo/config': `[remote "x"]\nurl=http://x\n${text}\n` }).sources[0]?.signatures
    expect(remote('')).toBe('enforced')
    expect(remote('gpg-verify=false')).toBe('not-enforced')
    expect(remote('gpg-verify=false\nsign-verify=ed25519')).toBe('enforced')
    expect(remote('gpg-verify=false\nsign-verify=false')).toBe('not-enforced')
  })

  test('updates that are only looked for are not automatic', () => {
    const policy = { '/etc/rpm-ostreed.conf': '[Daemon]\nAutomaticUpdatePolicy=check\n' }
    expect(channelOf({ ...OSTREE, ...policy }).automatic.state).toBe('off')
  })
})

describe('the hawkBit client', () => {
  const conf = (more: string): Tree => ({
    '/etc/rauc-hawkbit-updater/config.conf': `[client]\nhawkbit_server = hawkbit.example:8443\ntarget_name = unit-7\nauth_token = s3cret\n${more}\n[device]\nserial = 1\n`,
    ...enabled('rauc-hawkbit-updater.service'),
  })

  test('tells its server and that a token is there, and nothing of the unit', () => {
    const channel = channelOf(conf('ssl = true\n'))
    expect(channel).toMatchObject({
      manager: 'hawkbit',
      sources: [{ uris: ['hawkbit.example:8443'], transports: ['https'] }],
      automatic: { state: 'on' },
    })
    expect(channel.sources[0]?.settings).toContainEqual({ name: 'auth_token', value: 'present', effect: 'none' })
    expect(JSON.stringify(channel)).not.toMatch(/s3cret|unit-7/)
  })

  test('without TLS, or with any certificate', () => {
    const source = (more: string) => channelOf(conf(more)).sources[0]
    expect(source('ssl = false')).toMatchObject({ transports: ['http'] })
    expect(source('ssl_verify = false')?.settings).toContainEqual({
      name: 'ssl_verify',
      value: 'false',
      effect: 'weakens',
    })
  })
})

describe('several managers side by side', () => {
  const tree: Tree = {
    '/etc/rauc/system.conf': '[keyring]\npath=/k.pem\n',
    '/k.pem': pem('CERTIFICATE', root.der),
    '/etc/opkg.conf': 'option check_signature 1\n',
    '/etc/opkg/private.conf': 'src/gz a http://a\n',
  }

  test('are all told', () => {
    expect(measured(tree).content.channels.map(({ manager }) => manager)).toEqual(['opkg', 'rauc'])
  })

  test('one that may not be read does not hide the other, and is not taken for good', () => {
    const host = withoutPermission(treeHost(tree), '/etc/rauc/')
    const reading = updateChannelSensor.measure(host) as Reading<'update-channel'>
    expect(reading).toMatchObject({
      content: {
        channels: [
          { manager: 'opkg', signatures: 'enforced' },
          { manager: 'rauc', signatures: 'unknown', unreadable: ['/etc/rauc/system.conf'] },
        ],
      },
    })
  })

  test('none is not supported', () => {
    expect(measure({})).toEqual({ status: 'not-supported', reason: 'no-update-manager' })
  })
})

describe('hostile files', () => {
  const lines = (line: (index: number) => string) =>
    Array.from({ length: 10_000 }, (_, index) => line(index)).join('\n')

  test('10,000 sources are cut, and it is said', () => {
    const deb = channelOf({ '/etc/apt/sources.list': lines((index) => `deb http://x s${index} main`) })
    const repo = channelOf({ '/etc/yum.repos.d/x.repo': lines((index) => `[r${index}]\nbaseurl=http://x/${index}`) })
    const list = channelOf({ '/etc/apk/repositories': lines((index) => `http://x/${index}`) })
    for (const { sources, truncated } of [deb, repo, list]) {
      expect(sources).toHaveLength(512)
      expect(truncated).toBe(true)
    }
  })

  test('loops of links, and files that are none, are unreadable', async () => {
    expect(channelOf({ '/etc/apk/repositories': { link: 'repositories' } }).unreadable).toEqual([
      '/etc/apk/repositories',
    ])
    expect(channelOf({ '/etc/apt/sources.list': { directory: true } }).unreadable).toEqual(['/etc/apt/sources.list'])
    const loop = treeHost({ '/etc/rauc/system.conf': { link: '/etc/rauc/system.conf' } })
    const reading = (await measureAll(loop, [updateChannelSensor])).get('update-channel')?.reading
    expect(reading).toMatchObject({ status: 'failed', code: 'input-unreadable' })
  })

  test('names that are no UTF-8, or hold NULs and escapes, are shown as what they are', () => {
    const bytes = Buffer.from('http://x/\xff\0\x1b[31m\n', 'latin1')
    expect(channelOf({ '/etc/apk/repositories': bytes }).sources[0]?.uris).toEqual(['http://x/\\xff\\x00\\x1b[31m'])
  })
})
