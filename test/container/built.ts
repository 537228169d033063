import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { repository } from '../architecture/sources.ts'
import { makeNeighbourImages, makeNodeImage } from './base-images.ts'
import { Engine } from './engine.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Directory of the engine that has the images. */
    engine: string
  }
}

/** The images, made once for all tests: that of the collector by its Containerfile as it is. */
export default function setup(project: TestProject): () => void {
  const engine = Engine.create()
  try {
    makeNodeImage(engine)
    makeNeighbourImages(engine)
    const started = Date.now()
    engine.build(repository, join(repository, 'deploy', 'container', 'Containerfile'), 'keepseal-collector')
    const bytes = Number(engine.podman('image', 'inspect', '--format', '{{.Size}}', 'keepseal-collector'))
    console.log(`image: built in ${Math.round((Date.now() - started) / 1000)} s, ${Math.round(bytes / 1e6)} MB`)
  } catch (error) {
    engine.remove()
    throw error
  }
  project.provide('engine', engine.directory)
  return () => engine.remove()
}
