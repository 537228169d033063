import { defineConfig } from 'vitest/config'

// One configuration, three projects: `unit` needs nothing but Node and stays within seconds; `integration` starts
// the real servers it needs (swtpm, mosquitto, the collector) on loopback; `e2e` runs the built programs.
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{shared,agent,collector,property,architecture,deploy}/**/*.test.ts'],
          pool: 'forks',
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
