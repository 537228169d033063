import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentConfig } from '../../agent/config/options.ts'
import { repository } from '../architecture/sources.ts'

const read = (path: string): string => readFileSync(join(repository, path), 'utf8')
const { version } = JSON.parse(read('package.json')) as { version: string }
const spec = read('deploy/rpm/keepseal-agent.spec')
const openwrt = read('deploy/openwrt/keepseal-agent/Makefile')
const openwrtFiles = 'deploy/openwrt/keepseal-agent/files'
const layer = 'deploy/yocto/meta-keepseal'
const recipe = read(`${layer}/recipes-keepseal/keepseal-agent/keepseal-agent_${version}.bb`)
/** The names of deploy/bundle/targets.mjs. */
const TARGETS = [...read('deploy/bundle/targets.mjs').matchAll(/^  '?([a-z0-9-]+)'?: \{/gm)].map(
  ([, name]) => name ?? '',
)
const rpmspec = spawnSync('rpmspec', ['--version']).status === 0
const UNITS = ['keepseal-agent.service', 'keepseal-measure.socket', 'keepseal-measure@.service']

/** What the Debian package puts there under these folders, from the file that makes it. */
const debian = read('deploy/deb/agent.mjs')
const installedByDebian = [...debian.matchAll(/'((?:usr\/lib\/(?:sysusers|tmpfiles)\.d|etc\/keepseal)\/[^']+)'/g)]
  .map(([, path]) => path?.split('/').at(-1) ?? '')
  .filter((name) => name.includes('.') && name !== 'agent.d')

describe('the spec for rpm', () => {
  it('is of the version of the program', () => {
    expect(/^Version:\s+(\S+)$/m.exec(spec)?.[1]).toBe(version)
    expect(spec).toMatch(new RegExp(`^%changelog\\n\\* .* - ${version.replaceAll('.', '\\.')}-1$`, 'm'))
  })

  it('installs files that there are', () => {
    const sources = [...spec.matchAll(/(?<=\s)((?:deploy|docs)\/\S+\.(?:toml|conf|rules|service|socket|md))(?=\s)/g)]
    expect(sources.length).toBeGreaterThan(8)
    expect(sources.map(([, path = '']) => path).filter((path) => !existsSync(join(repository, path)))).toEqual([])
  })

  it('lists every unit and every file that the Debian package has', () => {
    const files = spec.slice(spec.indexOf('\n%files'))
    expect([...UNITS, ...installedByDebian].filter((name) => !files.includes(`/${name}\n`))).toEqual([])
    expect(files).toContain('%config(noreplace)')
    for (const step of ['%systemd_post ', '%systemd_preun ', '%systemd_postun_with_restart ']) {
      expect(spec).toContain(`${step}keepseal-measure.socket keepseal-agent.service`)
    }
  })

  it('has each section once, its conditions closed, and shell in its scripts', () => {
    const sections = [...spec.matchAll(/^%(prep|build|install|pre|post|preun|postun|files|changelog|description)$/gm)]
    const names = sections.map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    expect([...spec.matchAll(/^%if /gm)].length).toBe([...spec.matchAll(/^%endif$/gm)].length)
    for (const name of ['install', 'post']) {
      const body = new RegExp(`^%${name}\\n(.*?)^%(?:pre|preun)$`, 'ms').exec(spec)?.[1] ?? ''
      // As rpm leaves it: macros are words, conditions are gone.
      const shell = body
        .replaceAll(/^%(if|else|endif).*$/gm, '')
        .replaceAll('%%', '%')
        .replaceAll(/^%systemd\w+.*$/gm, ':')
        .replaceAll(/%\{[^}]+\}/g, 'X')
      expect([name, spawnSync('sh', ['-n'], { input: shell, encoding: 'utf8' }).stderr]).toEqual([name, ''])
    }
  })

  it('deletes no state', () => {
    expect(spec).not.toMatch(/\brm\b.*keepseal-agent/)
  })

  it.skipIf(!rpmspec)(`is parsed by rpmspec${rpmspec ? '' : ' (skipped: no rpmspec)'}`, () => {
    for (const condition of ['--with', '--without']) {
      const { status, stderr } = spawnSync(
        'rpmspec',
        ['-P', condition, 'runtime', join(repository, 'deploy/rpm/keepseal-agent.spec')],
        { encoding: 'utf8' },
      )
      expect([status, stderr]).toEqual([0, ''])
    }
  })
})

describe('the entry for a feed of OpenWrt', () => {
  it('is of the version of the program, and of the artefact without a binding, which needs Node alone', () => {
    expect(/^PKG_VERSION:=(\S+)$/m.exec(openwrt)?.[1]).toBe(version)
    const named = [...openwrt.matchAll(/\$\(PKG_VERSION\)-([a-z0-9-]+)/g)].map(([, target]) => target)
    expect([...new Set(named)]).toEqual(['any'])
    expect(TARGETS).toContain('any')
    expect(/^ {2}DEPENDS:=(.*)$/m.exec(openwrt)?.[1]).toBe('+node')
    expect(openwrt).not.toContain('koffi-')
  })

  it('installs files that there are, by rules that begin with a tab', () => {
    const files = [...openwrt.matchAll(/\.\/files\/(\S+)/g)].map(([, name]) => name ?? '')
    expect(files.sort()).toEqual(readdirSync(join(repository, openwrtFiles)).sort())
    expect(openwrt.match(/^ +\$\(INSTALL/gm)).toBeNull()
    expect([...openwrt.matchAll(/^define /gm)].length).toBe([...openwrt.matchAll(/^endef$/gm)].length)
  })

  it.each(['keepseal-agent', 'keepseal-agent.init', 'keepseal-tpm.hotplug'])('%s is a script of the shell', (name) => {
    expect(spawnSync('sh', ['-n', join(repository, openwrtFiles, name)], { encoding: 'utf8' }).stderr).toBe('')
  })

  it('starts the agent as the unit of systemd does, without root', () => {
    const script = read(`${openwrtFiles}/keepseal-agent.init`)
    const started = /ExecStart=\S+ (.*)/.exec(read('deploy/systemd/keepseal-agent.service'))?.[1] ?? 'nothing'
    expect(script).toContain(`command /usr/bin/node ${started}\n`)
    expect(script).toMatch(/procd_set_param user keepseal-agent\n/)
    expect(script).toMatch(/procd_set_param no_new_privs 1\n/)
  })

  it('keeps the state where a restart and sysupgrade keep it', () => {
    expect(read(`${openwrtFiles}/agent.toml`)).toContain('directory = "/etc/keepseal/state"')
    expect(openwrt).toMatch(/conffiles\n(?:.*\n)*?\/etc\/keepseal\/state\/\n/)
  })
})

describe('the layer for Yocto', () => {
  const configuration = read(`${layer}/conf/layer.conf`)

  it('is for scarthgap and wrynose, and names what it stands on', () => {
    expect(configuration).toContain('LAYERSERIES_COMPAT_keepseal = "scarthgap wrynose"')
    expect(configuration).toContain('LAYERDEPENDS_keepseal = "core openembedded-layer tpm-layer"')
  })

  it('has a target for each processor that the agent is made for, and no other', () => {
    const named = [...recipe.matchAll(/^KEEPSEAL_TARGET:\S+ = .*?["']([a-z][a-z0-9-]+)["'](?:, '', d\)\}")?$/gm)]
    const inPython = [...recipe.matchAll(/'callconvention-hard', '(\w+)'/g)]
    expect([...new Set([...named, ...inPython].map(([, target]) => target))].sort()).toEqual(
      TARGETS.filter((target) => target !== 'any').sort(),
    )
  })

  it('finds the files of the Debian package from where it lies', () => {
    const local = [...recipe.matchAll(/file:\/\/([a-z@-]+\.\w+) /g)].map(([, name]) => name ?? '')
    expect(UNITS.filter((unit) => !local.includes(unit))).toEqual([])
    const folders = [...recipe.matchAll(/\$\{THISDIR\}\/([^:"]+):/g)].map(([, path]) =>
      join(repository, layer, 'recipes-keepseal/keepseal-agent', path ?? ''),
    )
    expect(local.filter((name) => !folders.some((folder) => existsSync(join(folder, name))))).toEqual([])
    expect(local.filter((name) => !recipe.includes(`/${name} `) && !UNITS.includes(name))).toEqual([])
  })

  it.each(['do_compile', 'do_install'])('%s is shell', (task) => {
    const body = new RegExp(`^${task}\\(\\) \\{\\n(.*?)^\\}`, 'ms').exec(recipe)?.[1] ?? 'nothing ('
    expect(spawnSync('sh', ['-n'], { input: body, encoding: 'utf8' }).stderr).toBe('')
  })

  it('has recipes whose quotes and continued lines end', () => {
    for (const file of readdirSync(join(repository, layer), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(bb|conf)$/.test(file)) continue
      const outsideTasks = read(`${layer}/${file}`)
        .replaceAll(/^(?:python )?\w*\(\) \{\n.*?^\}/gms, '')
        .replaceAll('\\\n', ' ')
      const odd = outsideTasks
        .split('\n')
        .filter((line) => line !== '' && !/^(#.*|inherit [\w -]+|[\w:${}.-]+ (\?|\?\?|\+|\.|:)?= "[^"]*")$/.test(line))
      expect([file, odd]).toEqual([file, []])
    }
  })

  it('puts an example image together whose settings the agent knows', () => {
    const image = read(`${layer}/recipes-keepseal/images/keepseal-image-example.bb`)
    expect(image).toContain('IMAGE_INSTALL += "packagegroup-keepseal"')
    const keys = [...image.matchAll(/^([a-z_]+) = "\$\{KEEPSEAL_/gm)].map(([, key]) => key)
    expect(keys).toEqual(['url', 'vendor', 'model', 'hardware_revision'])
    expect(Object.keys(agentConfig.sections.product)).toEqual(expect.arrayContaining(keys.slice(1)))
  })

  it('takes from the packagegroup the agent and its way to the TPM', () => {
    const group = read(`${layer}/recipes-keepseal/packagegroups/packagegroup-keepseal.bb`)
    expect(group).toMatch(/keepseal-agent .*\n(?:.*\n)*.*libtss2-tcti-device/)
  })
})
