import {
  functionName,
  type CompletedArgument,
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  type Offer,
} from './model.ts'

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
const escaped = (text: string, special: RegExp): string => text.replaceAll(special, String.raw`\$&`)

/** An action of `_arguments`: zshcompsys(1). */
function action(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`
    case 'list':
      return `_sequence compadd - ${offer.words.join(' ')}`
    case 'file':
      return '_files'
    case 'directory':
      return '_files -/'
    case 'free':
    case 'switch':
      return '()'
  }
}

function optionSpecification({ flag, description, placeholder, offer, isRepeatable }: CompletedOption): string {
  const name = `${isRepeatable ? '*' : ''}${flag}${offer.kind === 'switch' ? '' : '='}`
  const told = `${name}[${escaped(description, /[[\]\\:]/g)}]`
  return quoted(offer.kind === 'switch' ? told : `${told}:${escaped(placeholder, /[\\:]/g)}:${action(offer)}`)
}

const argumentSpecification = ({ name, offer, isRepeatable }: CompletedArgument): string =>
  quoted(`${isRepeatable ? '*' : ''}:${escaped(name, /[\\:]/g)}:${action(offer)}`)

const specifications = (command: CompletedCommand): string =>
  [...command.options.map(optionSpecification), ...command.arguments.map(argumentSpecification)]
    .map((each) => `            ${each}`)
    .join('\n')

/** A function for zsh 5: read from a directory of `fpath`, or by `source`. */
export function zshCompletion({ program, next, commands }: Completion): string {
  const name = functionName(program)
  return `#compdef ${program}
# Completion of ${program} for zsh, made by: ${program} completion zsh

# What can follow these words of a command.
${name}_next() {
    case $1 in
${[...next]
  .map(
    ([path, words]) => `    ${quoted(path)})
        following=(
${words.map(({ word, description }) => `            ${quoted(`${word}:${escaped(description, /[\\:]/g)}`)}`).join('\n')}
        ) ;;`,
  )
  .join('\n')}
    *) following=() ;;
    esac
}

# Options and arguments of a command.
${name}_takes() {
    case $1 in
${commands
  .map(
    (command) => `    ${quoted(command.path)})
        taken=(
${specifications(command)}
        ) ;;`,
  )
  .join('\n')}
    *) taken=() ;;
    esac
}

${name}() {
    local curcontext=$curcontext command='' first=2 helping=''
    local -a following taken
    if (( CURRENT > 2 )) && [[ $words[2] == help ]]; then
        helping=1
        first=3
    fi
    while (( first < CURRENT )); do
        ${name}_next "$command"
        (( \${following[(I)\${(b)words[first]}:*]} )) || break
        command="\${command:+$command }$words[first]"
        (( first++ ))
    done
    if (( first == CURRENT )); then
        ${name}_next "$command"
        (( \${#following} )) && _describe -t commands command following
    fi
    [[ -n $helping ]] && return
    ${name}_takes "$command"
    (( \${#taken} )) || return
    words=("$command" "\${(@)words[first,-1]}")
    (( CURRENT -= first - 2 ))
    _arguments -S : "\${(@)taken}"
}

if [[ \${funcstack[1]} == ${name} ]]; then
    ${name} "$@"
else
    compdef ${name} ${program}
fi
`
}
