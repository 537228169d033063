// Signs an artefact, or checks one: `node deploy/bundle/sign.mjs keygen|sign|verify …`. The signature is Ed25519 over
// the file SHA256SUMS, 64 bytes as they are, so that `openssl pkeyutl -verify -rawin` checks it without this program.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const SUMS = 'SHA256SUMS'
const SIGNATURE = 'SHA256SUMS.sig'

const sha256 = (content) => createHash('sha256').update(content).digest('hex')

function filesIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((name) => name !== SUMS && name !== SIGNATURE)
    .sort()
}

/** Writes the digests of all files of the artefact, as sha256sum(1) does. */
export function writeSums(directory) {
  const lines = filesIn(directory).map((name) => `${sha256(readFileSync(join(directory, name)))}  ${name}\n`)
  writeFileSync(join(directory, SUMS), lines.join(''))
}

function keyOf(pem, read) {
  const key = read(pem)
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`an Ed25519 key is wanted, and this is ${key.asymmetricKeyType}`)
  return key
}

/** `keyFile`: PEM of a private key. */
export function signArtefact(directory, keyFile) {
  const key = keyOf(readFileSync(keyFile), createPrivateKey)
  writeFileSync(join(directory, SIGNATURE), sign(null, readFileSync(join(directory, SUMS)), key))
}

/** Every reason not to trust the artefact; none for a good one. `keyFile`: PEM of the public key. */
export function artefactFaults(directory, keyFile) {
  const key = keyOf(readFileSync(keyFile), createPublicKey)
  const sums = readFileSync(join(directory, SUMS))
  if (!verify(null, sums, key, readFileSync(join(directory, SIGNATURE)))) return [`${SIGNATURE} is not by this key`]
  const listed = new Map()
  for (const line of sums
    .toString('utf8')
    .split('\n')
    .filter((each) => each !== '')) {
    const [, digest, name] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? []
    if (name === undefined) return [`${SUMS} has a line that is none: ${line}`]
    listed.set(name, digest)
  }
  const present = filesIn(directory)
  const faults = present.filter((name) => !listed.has(name)).map((name) => `${name} is not part of the artefact`)
  for (const [name, digest] of listed) {
    if (!present.includes(name)) faults.push(`${name} is missing`)
    else if (!statSync(join(directory, name)).isFile()) faults.push(`${name} is no file`)
    else if (sha256(readFileSync(join(directory, name))) !== digest) faults.push(`${name} was changed`)
  }
  return faults
}

function keygen(name) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const [secret, open] = [`${name}.key.pem`, `${name}.pub.pem`]
  writeFileSync(secret, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  writeFileSync(open, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' })
  return `${secret} signs: keep it where no gateway and no build machine is. ${open} checks: give it to everybody.\n`
}

const USAGE = `usage: node deploy/bundle/sign.mjs keygen NAME
       node deploy/bundle/sign.mjs sign ARTEFACT PRIVATE-KEY.pem
       node deploy/bundle/sign.mjs verify ARTEFACT PUBLIC-KEY.pem
Exit codes: 0 good, 1 not to be trusted, 2 wrong usage, 70 could not be done.
`

function main([verb, subject, key, ...rest]) {
  if (subject === undefined || rest.length > 0 || (verb === 'keygen') !== (key === undefined)) return [2, USAGE]
  if (verb === 'keygen') return [0, keygen(subject)]
  if (verb === 'sign') {
    signArtefact(subject, key)
    return [0, `${join(subject, SIGNATURE)} written\n`]
  }
  if (verb !== 'verify') return [2, USAGE]
  const faults = artefactFaults(subject, key)
  if (faults.length > 0)
    return [1, `${faults.join('\n')}\nDo not install it: get the artefact again, from its maker.\n`]
  return [0, `${subject}: signed by this key, every file is as it was signed\n`]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const [code, text] = main(process.argv.slice(2))
    ;(code === 0 ? process.stdout : process.stderr).write(text)
    process.exitCode = code
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 70
  }
}
