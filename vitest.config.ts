import { defineConfig } from 'vitest/config'

const unitFolders = 'test/{shared,agent,collector,property,architecture,deploy}/**'

// One configuration, four projects. `unit` needs nothing but Node and stays within seconds; `exhaustive` tries what
// takes longer, such as every single bit of a message; `integration` starts the real servers it needs (swtpm,
// mosquitto, the collector) on loopback; `e2e` runs the built programs.
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${unitFolders}/*.test.ts`],
          exclude: ['**/*.exhaustive.test.ts'],
          pool: 'forks',
          // Test files share their modules: importing them anew for each file takes longer than the tests themselves.
          isolate: false,
        },
      },
      {
        test: {
          name: 'exhaustive',
          include: [`${unitFolders}/*.exhaustive.test.ts`],
          pool: 'forks',
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
