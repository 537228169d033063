import type { Store } from '../../collector/store/index.ts'

/** Called before each operation of a repository; what it throws is what the database throws. */
export type BeforeOperation = (repository: string, operation: string, parameters: readonly unknown[]) => void

const isRepository = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The store with a database that can fail at any operation, within transactions and outside of them. */
export function failingStore(store: Store, before: BeforeOperation): Store {
  const repositories = Object.entries(store).map(([name, repository]) => [
    name,
    isRepository(repository) ? watched(name, repository, before) : repository,
  ])
  return {
    ...(Object.fromEntries(repositories) as Store),
    transaction: (action) => store.transaction((transaction) => action(failingStore(transaction, before))),
    transactionOf: (devices, action) =>
      store.transactionOf(devices, (transaction) => action(failingStore(transaction, before))),
    within: (scope) => failingStore(store.within(scope), before),
  }
}

function watched(name: string, repository: Record<string, unknown>, before: BeforeOperation): unknown {
  return new Proxy(repository, {
    get(target, operation) {
      const method = Reflect.get(target, operation) as unknown
      if (typeof method !== 'function' || typeof operation !== 'string') return method
      return (...parameters: unknown[]) => {
        before(name, operation, parameters)
        return Reflect.apply(method, target, parameters) as unknown
      }
    },
  })
}
