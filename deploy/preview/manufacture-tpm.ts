import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const authorityDirectory = (stateDirectory: string): string => join(stateDirectory, 'authority')

/** PEM files of the authority that certified the endorsement key, its root first; none where it was not certified. */
export const authorityFiles = (stateDirectory: string): string[] =>
  ['swtpm-localca-rootca-cert.pem', 'issuercert.pem']
    .map((file) => join(authorityDirectory(stateDirectory), file))
    .filter((file) => existsSync(file))

/** Makes the TPM's persistent state, with configuration files of its own: nothing of this machine's is touched. */
export function manufacture(stateDirectory: string, withEkCertificate: boolean, banks: readonly string[]): void {
  const authority = authorityDirectory(stateDirectory)
  mkdirSync(authority, { recursive: true })
  const write = (name: string, lines: readonly string[]): string => {
    const file = join(authority, name)
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  const authorityConfiguration = write('localca.conf', [
    `statedir = ${authority}`,
    `signingkey = ${join(authority, 'signkey.pem')}`,
    `issuercert = ${join(authority, 'issuercert.pem')}`,
    `certserial = ${join(authority, 'certserial')}`,
  ])
  const authorityOptions = write('localca.options', [
    '--platform-manufacturer Keepseal',
    '--platform-version 1',
    '--platform-model Simulated',
  ])
  const configuration = write('setup.conf', [
    'create_certs_tool = /usr/bin/swtpm_localca',
    `create_certs_tool_config = ${authorityConfiguration}`,
    `create_certs_tool_options = ${authorityOptions}`,
    'active_pcr_banks = sha256',
  ])
  const arguments_ = ['--tpm2', '--tpmstate', stateDirectory, '--config', configuration, '--pcr-banks', banks.join(',')]
  if (withEkCertificate) arguments_.push('--create-ek-cert', '--create-platform-cert', '--lock-nvram')
  const log = join(stateDirectory, 'setup.log')
  const result = spawnSync('swtpm_setup', [...arguments_, '--logfile', log], { encoding: 'utf8' })
  if (result.error !== undefined)
    throw new Error('swtpm_setup cannot be started (package swtpm-tools)', { cause: result.error })
  if (result.status !== 0) {
    throw new Error(`swtpm_setup: ${result.stderr}${existsSync(log) ? readFileSync(log, 'utf8') : ''}`)
  }
}
