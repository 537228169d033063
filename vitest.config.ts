import { accessSync, constants } from 'node:fs'
import { defineConfig } from 'vitest/config'

const unitFolders = 'test/{shared,agent,collector,property,architecture,deploy}/**'

/** Databases of tests that need no real disk stay in memory, where there is such a place: each commit waits for its disk. */
function temporaryDirectory(): Record<string, string> {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return { TMPDIR: '/dev/shm' }
  } catch {
    return {}
  }
}

// One configuration, four projects. `unit` needs nothing but Node and stays within seconds; `slow` tries what
// takes longer, such as every single bit of a message, or needs a process of its own; `integration` starts the real servers it needs (swtpm,
// mosquitto, the collector) on loopback; `e2e` runs the built programs.
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['test/support/properties.ts'],
          include: [`${unitFolders}/*.test.ts`],
          exclude: ['**/*.slow.test.ts'],
          pool: 'forks',
          // Test files share their modules: importing them anew for each file takes longer than the tests themselves.
          isolate: false,
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          env: temporaryDirectory(),
        },
      },
      {
        test: {
          name: 'slow',
          setupFiles: ['test/support/properties.ts'],
          sequence: { groupOrder: 1 },
          include: [`${unitFolders}/*.slow.test.ts`],
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          setupFiles: ['test/support/properties.ts'],
          globalSetup: ['test/support/web-fleet-folder.ts'],
          sequence: { groupOrder: 2 },
          include: ['test/integration/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          setupFiles: ['test/support/properties.ts'],
          // Alone: it measures this very machine, where other tests open and close sockets.
          sequence: { groupOrder: 3 },
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
