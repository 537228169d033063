import { toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { encodeCoseKey } from '../../../../shared/cose/key.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { createKey, keyPath, readKey, type PersonKey } from './key-file.ts'

const options = {
  key: { description: 'File in place of ~/.config/keepseal/key.pem.', value: text(4096), placeholder: 'FILE' },
} as const

const shown = ({ file, publicKey, signer }: PersonKey) => ({
  file,
  keyId: toHex(signer.keyId),
  publicKey: toHex(encodeCoseKey(publicKey)),
})

const describe = ({ file, keyId, publicKey }: ReturnType<typeof shown>): string =>
  [`file       ${printable(file)}`, `key id     ${keyId}`, `public key ${publicKey}`].join('\n')

const create = defineCommand({
  name: 'key create',
  summary: 'Make the key that signs your decisions, on this machine',
  description: ['It is never sent anywhere. A certifier enters its public half: keepseal person add --public-key …'],
  options,
  json: true,
  run: async ({ options: { key }, terminal, present }) => {
    const made = shown(createKey(keyPath(key, terminal.env)))
    present(made, () => describe(made))
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'key show',
  summary: 'Show the public half of your key',
  options,
  json: true,
  run: async ({ options: { key }, terminal, present }) => {
    const held = shown(readKey(keyPath(key, terminal.env)))
    present(held, () => describe(held))
    return exitCodes.good
  },
})

export const keyCommands: readonly Command[] = [create, show]
