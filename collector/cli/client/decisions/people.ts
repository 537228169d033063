import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { newPerson, PERSON_ROLES } from '../../../../shared/decisions/person.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { connectionOptions } from '../settings.ts'
import { decide, decisionOptions } from './decide.ts'
import { keyPath, readKey } from './key-file.ts'

const originsOf = (host: string, origins: readonly string[]): readonly string[] =>
  origins.length === 0 ? [`https://${host}`] : origins

const newId = (): string => makeId('per', Date.now(), random)

const begin = defineCommand({
  name: 'log begin',
  summary: 'Begin the decision log, as its first certifier',
  description: [
    'The first entry names you and your key, and is signed by it: whoever checks the log later has to know that key. It ' +
      'also says who operates this collector, for a vendor who watches himself has to say so. It takes the token of a ' +
      'certifier; later entries are taken from whoever hands them in, since their signatures say who decides.',
  ],
  examples: ['keepseal log begin --name "Ada Berg" --operator "Example Certification"'],
  options: {
    ...decisionOptions,
    name: { description: 'Your name.', value: text(256), placeholder: 'NAME', required: true },
    operator: { description: 'Who operates this collector.', value: text(256), placeholder: 'NAME', required: true },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const { publicKey } = readKey(keyPath(options.key, terminal.env))
    const subject = newId()
    const detail = { operator: options.operator, certifier: newPerson(options.name, 'certifier', publicKey) }
    await decide(options, terminal.env, { kind: 'log.begin', subject, detail })
    present({ person: subject }, () => subject)
    return exitCodes.good
  },
})

const add = defineCommand({
  name: 'person add',
  summary: 'Let somebody sign decisions, in one role',
  examples: ['keepseal person add --name "Ben Ohm" --role vendor --public-key a401…'],
  options: {
    ...decisionOptions,
    name: { description: 'Name of the person.', value: text(256), placeholder: 'NAME', required: true },
    role: {
      description: `${PERSON_ROLES.join(', ')}.`,
      value: choice(PERSON_ROLES),
      placeholder: 'ROLE',
      required: true,
    },
    'public-key': {
      description: 'As the person reads it off `keepseal key show`.',
      value: text(512),
      placeholder: 'HEX',
      required: true,
    },
    'rp-id': {
      description: 'Where the key is a passkey: the host name that it is for.',
      value: text(253),
      placeholder: 'HOST',
    },
    origin: {
      description: 'Pages on which the passkey may sign; https://HOST without one.',
      value: text(300),
      placeholder: 'URL',
      multiple: true,
    },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const { name, role, publicKey: key, rpId, origin } = options
    const subject = newId()
    if (rpId === undefined && origin.length > 0) throw new KeepsealError('usage.invalid', '--origin goes with --rp-id')
    const passkey = rpId === undefined ? {} : { passkey: { id: rpId, origins: originsOf(rpId, origin) } }
    await decide(options, terminal.env, { kind: 'person.add', subject, detail: { name, role, key, ...passkey } })
    present({ person: subject }, () => subject)
    return exitCodes.good
  },
})

const revoke = defineCommand({
  name: 'person revoke',
  summary: 'Let somebody sign no more; what was signed before stands',
  arguments: { person: { description: 'Id of the person, as `person list` shows it.' } },
  options: {
    ...decisionOptions,
    reason: { description: 'Why.', value: text(8192), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ options, arguments: { person: subject }, terminal, present }) => {
    const { reason } = options
    const done = await decide(options, terminal.env, { kind: 'person.revoke', subject, detail: { reason } })
    present(done, () => `${subject} may sign no more`)
    return exitCodes.good
  },
})

const People = v.object({
  operator: v.string(),
  items: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      role: v.string(),
      keyId: v.string(),
      revokedAt: v.nullable(v.string()),
    }),
  ),
})

const list = defineCommand({
  name: 'person list',
  summary: 'Who may sign decisions, as the log says',
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const people = await connect(options, terminal.env).get('/people', People)
    const columns = [
      { title: 'PERSON', shrinks: false },
      { title: 'ROLE', shrinks: false },
      { title: 'NAME' },
      { title: 'SINCE REVOKED' },
    ]
    present(people, () =>
      [
        `operated by ${printable(people.operator)}`,
        table(
          columns,
          people.items.map(({ id, role, name, revokedAt }) => [id, role, name, revokedAt ?? '']),
        ),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

export const peopleCommands: readonly Command[] = [begin, add, revoke, list]
