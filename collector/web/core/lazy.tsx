import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { Loading } from '../parts/problem.tsx'

/** A component whose code is loaded when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined
  return function Lazy(props: P) {
    const Shown = useSignal<ComponentType<P> | undefined>(loaded)
    useEffect(() => {
      if (loaded === undefined) void load().then((found) => (Shown.value = loaded = found))
    }, [])
    const Found = Shown.value
    return Found === undefined ? <Loading /> : <Found {...props} />
  }
}
