import { defineConfig } from 'vitest/config'

// Apart from `npm test`: it builds an image and runs containers as root, which takes minutes. `npm run test:container`
// prepares the machine for it.
export default defineConfig({
  test: {
    name: 'container',
    include: ['test/container/**/*.test.ts'],
    globalSetup: ['test/container/built.ts'],
    pool: 'forks',
    bail: 1,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 1_200_000,
    reporters: ['verbose'],
  },
})
