export { makeId, type IdPrefix } from '../../shared/text/ids.ts'
