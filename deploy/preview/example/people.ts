import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type ApiClient } from '../../../collector/cli/client/api.ts'
import { decide } from '../../../collector/cli/client/decisions/decide.ts'
import { createKey, readKey } from '../../../collector/cli/client/decisions/key-file.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { makeToken } from '../collector.ts'
import type { PreviewPorts } from '../ports.ts'
import { collectorSettings } from '../settings.ts'

const ROLES = { certifier: 'certifier', vendor: 'vendor', approver: 'operator' } as const
export type ExamplePerson = keyof typeof ROLES

const NO_FLAGS = { url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }

/** The people of the example, each with a key and an API token of his own. */
export class ExamplePeople {
  readonly #home: string
  readonly #environments: Readonly<Record<ExamplePerson, Record<string, string>>>

  constructor(repository: string, home: string, ports: PreviewPorts) {
    this.#home = home
    const settings = collectorSettings(home, ports)
    const environment = (name: ExamplePerson) => ({
      KEEPSEAL_URL: `https://localhost:${ports.https}`,
      KEEPSEAL_TOKEN: makeToken(repository, ROLES[name], settings, `example ${name}`),
      KEEPSEAL_CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
    })
    this.#environments = {
      certifier: environment('certifier'),
      vendor: environment('vendor'),
      approver: environment('approver'),
    }
  }

  #keyFile(name: ExamplePerson): string {
    return join(this.#home, 'people', `${name}.pem`)
  }

  person(name: ExamplePerson): ReturnType<typeof newPerson> {
    const file = this.#keyFile(name)
    const { publicKey } = existsSync(file) ? readKey(file) : createKey(file)
    return newPerson(`Example ${name}`, ROLES[name], publicKey)
  }

  async decide(by: ExamplePerson, kind: string, subject: string, detail: Json): Promise<void> {
    await decide({ ...NO_FLAGS, key: this.#keyFile(by) }, this.#environments[by], { kind, subject, detail })
  }

  api(name: ExamplePerson): ApiClient {
    return connect(NO_FLAGS, this.#environments[name])
  }
}
