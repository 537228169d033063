import type { Catalogue } from '../../../shared/maturity/catalogue/schema.ts'
import type { CatalogueVersions } from '../../store/catalogue-versions.ts'

/** The version of the catalogue, and of each standard that it maps to. */
export const catalogueVersions = ({ version, frameworks }: Catalogue): CatalogueVersions => ({
  ...Object.fromEntries(Object.entries(frameworks).map(([id, framework]) => [id, framework.version])),
  catalogue: version,
})
