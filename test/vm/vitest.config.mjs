import { defineConfig } from 'vitest/config'

// Apart from `npm test`: it boots virtual machines, which takes minutes. `npm run test:vm` prepares the machine for it.
export default defineConfig({
  test: {
    name: 'vm',
    include: ['test/vm/**/*.test.ts'],
    pool: 'forks',
    // One story, told in order: what comes after a step that failed would tell nothing.
    bail: 1,
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    reporters: ['verbose'],
  },
})
