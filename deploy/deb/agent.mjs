// The package keepseal-agent, out of the artefact.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeArtefact } from '../bundle/artefact.mjs'
import { targetOf } from '../bundle/targets.mjs'
import { copyTo, launcher, makePackage, put, putFile, putManual, putUnits } from './package.mjs'

const HOME = 'usr/lib/keepseal'
const FLAGS = ['--jitless']
const NEEDS = 'systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles'

/** `runtime`: with Node inside; without it the package depends on one. Answers with the path of the package. */
export async function buildAgentPackage({ target, runtime, version, out, fast }) {
  if (target.endsWith('-musl')) throw new Error(`Debian has no ${target}`)
  const { platform } = targetOf(target)
  const work = mkdtempSync(join(tmpdir(), 'keepseal-deb-'))
  try {
    const artefact = join(work, 'artefact')
    const root = join(work, 'root')
    await makeArtefact(artefact, { target, runtime })
    for (const program of ['keepseal-agent.js', 'keepseal-measure.js', 'package.json', `koffi-${platform}.node`]) {
      copyTo(root, `${HOME}/${program}`, join(artefact, program), 0o644)
    }
    if (runtime) copyTo(root, `${HOME}/node`, join(artefact, 'node'), 0o755)
    else {
      mkdirSync(join(root, HOME), { recursive: true })
      symlinkSync('/usr/bin/node', join(root, HOME, 'node'))
    }
    put(root, 'usr/bin/keepseal-agent', launcher(`/${HOME}/node`, FLAGS, `/${HOME}/keepseal-agent.js`), 0o755)
    put(root, 'usr/sbin/keepseal-measure', launcher(`/${HOME}/node`, FLAGS, `/${HOME}/keepseal-measure.js`), 0o755)
    const files = 'deploy/deb/agent'
    putFile(root, 'etc/keepseal/agent.toml', `${files}/agent.toml`)
    mkdirSync(join(root, 'etc/keepseal/agent.d'), { recursive: true })
    putFile(root, 'usr/lib/sysusers.d/keepseal-agent.conf', `${files}/sysusers.conf`)
    putFile(root, 'usr/lib/tmpfiles.d/keepseal-agent.conf', `${files}/tmpfiles.conf`)
    putFile(root, 'lib/udev/rules.d/60-keepseal-agent.rules', `${files}/udev.rules`)
    putUnits(root, ['keepseal-agent.service', 'keepseal-measure.socket', 'keepseal-measure@.service'])
    const doc = 'usr/share/doc/keepseal-agent'
    putFile(root, `${doc}/install.md`, 'docs/install.md')
    putFile(root, `${doc}/privileged-helper.md`, 'docs/privileged-helper.md')
    copyTo(root, `${doc}/sbom.cdx.json`, join(artefact, 'sbom.cdx.json'), 0o644)
    copyTo(root, `${doc}/LEGAL.txt`, join(artefact, 'keepseal-agent.js.LEGAL.txt'), 0o644)
    await putManual(root, 'agent')
    const depends = runtime ? `libc6 (>= 2.28), libstdc++6, ${NEEDS}` : `libc6 (>= 2.28), nodejs (>= 20.19), ${NEEDS}`
    return makePackage({
      root,
      out,
      source: 'agent',
      name: 'keepseal-agent',
      version,
      architecture: target,
      depends,
      fast,
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
