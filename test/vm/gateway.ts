import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyTree } from '../support/debian-tree.ts'
import { makeEspDisk, makeRootDisk } from './image/disks.ts'
import { anotherKernel, COMMAND_LINE, makeKernelImage } from './image/kernel-image.ts'
import { bootFiles, chroot, gatewayTree, installPackageFile, writeFiles } from './image/tree.ts'

export const PRODUCT = { vendor: 'Example Works', model: 'Virtual Gateway' } as const
export const REPORT_SECONDS = 20

export interface GatewayOptions {
  readonly repository: string
  readonly directory: string
  readonly collectorUrl: string
  readonly authorityFile: string
  readonly token: string
}

export interface Gateway {
  readonly root: string
  /** Disks that firmware starts: what was shipped, and one with another kernel and another command line. */
  readonly esp: { readonly shipped: string; readonly tampered: string }
  readonly packageFile: string
  readonly installMs: number
}

/** Where the package file lies in the guest, to be installed again. */
export const PACKAGE_IN_GUEST = '/root/keepseal-agent.deb'
export const OTHER_WORD = 'mitigations=off'
const OTHER_COMMAND_LINE = `${COMMAND_LINE} ${OTHER_WORD}`

/** The package as it is shipped, with a Node of its own; or one that was built before. */
function buildPackage(repository: string, directory: string): string {
  const built = process.env['KEEPSEAL_VM_PACKAGE']
  if (built !== undefined) return built
  const script = join(repository, 'deploy', 'deb', 'build.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'agent', '--out', directory], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the package cannot be built: ${stderr}`)
  return stdout.trim()
}

/** A gateway as its vendor ships it, with a token for its first boot. */
export function makeGateway(options: GatewayOptions, say: (line: string) => void): Gateway {
  const { repository, directory } = options
  const kept = gatewayTree(say)
  const packageFile = buildPackage(repository, directory)
  const tree = copyTree(kept)
  try {
    const installMs = installPackageFile(tree, packageFile)
    copyFileSync(packageFile, join(tree, PACKAGE_IN_GUEST))
    configure(tree, options)
    // A package starts its service at boot; here it is what comes later, and was not approved.
    chroot(tree, 'systemctl', 'disable', 'prometheus-node-exporter.service')
    const { kernel, initrd } = bootFiles(tree)
    const esp = (name: string, parts: { kernel: string; commandLine: string }): string => {
      const disk = join(directory, `esp-${name}.img`)
      makeEspDisk(disk, makeKernelImage(directory, name, tree, { initrd, ...parts }))
      return disk
    }
    const other = anotherKernel(directory, kernel)
    const root = join(directory, 'root.img')
    const disks = {
      shipped: esp('shipped', { kernel, commandLine: COMMAND_LINE }),
      tampered: esp('tampered', { kernel: other, commandLine: OTHER_COMMAND_LINE }),
    }
    makeRootDisk(root, tree)
    return { root, esp: disks, packageFile, installMs }
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

export const TOKEN = 'var/lib/keepseal-agent/enrolment-token'

function configure(tree: string, { collectorUrl, authorityFile, token }: GatewayOptions): void {
  const lines = [
    `collector.url = "${collectorUrl}"`,
    'collector.ca_file = "/etc/ssl/collector-ca.pem"',
    `collector.token_file = "/${TOKEN}"`,
  ]
  const product = [
    `vendor = "${PRODUCT.vendor}"`,
    `model = "${PRODUCT.model}"`,
    'hardware_revision = "A"',
    'serial = "vm-1"',
  ]
  // Shorter than on a gateway, so that a scenario takes minutes.
  const report = [`interval_seconds = ${REPORT_SECONDS}`, 'jitter_seconds = 0', 'resend_seconds = 60']
  const file = (content: readonly string[]) => ({ content: `${content.join('\n')}\n` })
  writeFiles(tree, {
    'etc/keepseal/agent.toml': file(lines),
    'etc/keepseal/agent.d/product.toml': file(['[product]', ...product]),
    'etc/keepseal/agent.d/test.toml': file(['[report]', ...report]),
    'etc/ssl/collector-ca.pem': { content: readFileSync(authorityFile, 'utf8') },
  })
  writeFiles(tree, { [TOKEN]: { content: `${token}\n`, mode: 0o400 } })
  chroot(tree, 'chown', 'keepseal-agent:', `/${TOKEN}`)
}
