export { startSwtpm, type SoftwareTpm, type SoftwareTpmOptions } from '../../deploy/preview/software-tpm.ts'
