import { defineCommand } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { random } from '../../../shared/crypto/node.ts'
import { createApiToken } from '../../api/authentication.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { storeLocation } from '../../config/store-location.ts'
import { openStore } from '../../store/index.ts'
import { scopeOf, scopeOptions } from './scope-option.ts'

export const apiTokenCreateCommand = defineCommand({
  name: 'api-token create',
  summary: 'Make a token for the API and the keepseal command',
  description: [
    'The token is shown once and stored as its hash. Run this as the user that the collector runs as.',
    'Without --vendor it is for all vendors: right for a certifier, and for a collector that only one vendor uses.',
  ],
  examples: ["keepseal-collector api-token create --role vendor --name Ada --vendor 'Acme Corp'"],
  options: {
    ...configOptions,
    role: {
      description: 'What its holder may do',
      value: choice(['vendor', 'operator', 'certifier', 'auditor']),
      required: true,
    },
    name: { description: 'Whose token it is', value: text(64), required: true },
    ...scopeOptions,
  },
  json: true,
  async run({ options, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const { store, close } = await openStore(await storeLocation(config))
    try {
      const { role, name } = options
      const scope = await scopeOf(store, options.vendor, options.product)
      const made = await createApiToken(store, { name, role, scope, expiresAt: null }, { now: Date.now(), random })
      present({ id: made.token.id, role, scope, token: made.text }, () => made.text)
      return exitCodes.good
    } finally {
      await close()
    }
  },
})
