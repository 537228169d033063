import { test } from 'vitest'
import { createHost } from '/work/wt-hardening/agent/sensors/host.ts'
import { readMounts, protectedMounts } from '/work/wt-hardening/agent/sensors/hardening/mounts.ts'
import { readPrograms } from '/work/wt-hardening/agent/sensors/hardening/programs.ts'
test('x', () => { const h = createHost(); for (let i=0;i<4;i++){ let a=h.cpuMs(); const m=readMounts(h); const b=h.cpuMs(); const p=readPrograms(h,m); console.log(b-a, h.cpuMs()-b); if(i==0) console.log(JSON.stringify(protectedMounts(m)), JSON.stringify(p,null,0)) } })
