import { text } from '../../../../shared/config/value-types.ts'

/** An option that takes a text and has to be given. */
export const words = (description: string, placeholder = 'TEXT') =>
  ({ description, value: text(8192), placeholder, required: true }) as const

export const optionalId = (description: string) => ({ description, value: text(128), placeholder: 'ID' }) as const

export const productsOption = {
  description: 'VENDOR/MODEL that it is about.',
  value: text(256),
  placeholder: 'PRODUCT',
  multiple: true,
} as const
