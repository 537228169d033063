import { flagGroups, functionName, offerText, type Completion } from './model.ts'

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
const pattern = (path: string): string => (path === '' ? "''" : quoted(path))

/** A script for bash 3.2 or newer, with or without the package bash-completion. */
export function bashCompletion(completion: Completion): string {
  const { program, next, commands } = completion
  const name = functionName(program)
  const { same, apart } = flagGroups(completion)
  const place = commands.filter((command) => command.arguments.length > 0)
  return `# Completion of ${program} for bash, made by: ${program} completion bash

# What can follow these words of a command.
${name}_next() {
    case $1 in
${[...next].map(([path, words]) => `    ${pattern(path)}) words=${quoted(words.map(({ word }) => word).join(' '))} ;;`).join('\n')}
    *) words='' ;;
    esac
}

${name}_flags() {
    case $1 in
${commands.map(({ path, options }) => `    ${quoted(path)}) words=${quoted(options.map(({ flag }) => flag).join(' '))} ;;`).join('\n')}
    *) words='' ;;
    esac
}

# What the option $2 of the command $1 takes.
${name}_value() {
    case $2 in
${[...same].map(([offer, flags]) => `    ${flags.join(' | ')}) offer=${quoted(offer)} ;;`).join('\n')}
${apart
  .map(
    ({ flag, usual, exceptions }) => `    ${flag})
        case $1 in
${exceptions.map(({ offer, paths }) => `        ${paths.map(quoted).join(' | ')}) offer=${quoted(offer)} ;;`).join('\n')}
        *) offer=${quoted(usual)} ;;
        esac
        ;;`,
  )
  .join('\n')}
    *) offer=switch ;;
    esac
}

# What stands at the place $2 of the command $1, from 0.
${name}_argument() {
    case "$1 $2" in
${place
  .flatMap((command) =>
    command.arguments.map(
      ({ offer, isRepeatable }, index) =>
        `    ${isRepeatable ? `${quoted(`${command.path} `)}*` : quoted(`${command.path} ${index}`)}) offer=${quoted(offerText(offer))} ;;`,
    ),
  )
  .join('\n')}
    *) offer=none ;;
    esac
}

# Offers what an option or an argument takes, for what is there of it already.
${name}_offer() {
    local have=$1 before=$2 found
    case $offer in
    'words '*) COMPREPLY=($(compgen -P "$before" -W "\${offer#words }" -- "$have")) ;;
    'list '*)
        case $have in *,*) before=$before\${have%,*}, ;; esac
        compopt -o nospace 2>/dev/null
        COMPREPLY=($(compgen -P "$before" -W "\${offer#list }" -- "\${have##*,}"))
        ;;
    file | directory)
        local how=-f
        [[ $offer == directory ]] && how=-d
        compopt -o filenames 2>/dev/null
        while IFS= read -r found; do COMPREPLY+=("$before$found"); done < <(compgen "$how" -- "$have")
        ;;
    esac
}

${name}() {
    local IFS=$' \\t\\n'
    local words='' offer='' path='' flag='' word='' stop='' helping='' i=0 place=0
    local -a line=('')
    COMPREPLY=()
    # Readline breaks words at an equals sign: --name=value is one word again here.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        flag=\${line[\${#line[@]} - 1]}
        if [[ $flag == --* && ( $word == '=' || $flag == --*= ) ]]; then
            line[\${#line[@]} - 1]=$flag$word
        else
            line+=("$word")
        fi
    done
    local last=$((\${#line[@]} - 1))
    local current=\${line[last]}
    i=1
    flag=''
    if ((last > 1)) && [[ \${line[1]} == help ]]; then
        helping=1
        i=2
    fi
    while ((i < last)) && [[ -n \${line[i]} ]]; do
        ${name}_next "$path"
        case " $words " in *" \${line[i]} "*) path=\${path:+$path }\${line[i]} ;; *) break ;; esac
        i=$((i + 1))
    done
    if ((i == last)); then
        ${name}_next "$path"
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
    [[ -n $helping ]] && return
    for (( ; i < last; i++)); do
        word=\${line[i]}
        if [[ -z $stop && $word == -- ]]; then
            stop=1
        elif [[ -z $stop && $word == --*=* ]]; then
            :
        elif [[ -z $stop && $word == -?* ]]; then
            ${name}_value "$path" "$word"
            if [[ $offer != switch ]]; then
                i=$((i + 1))
                ((i == last)) && flag=$word
            fi
        else
            place=$((place + 1))
        fi
    done
    if [[ -n $flag ]]; then
        ${name}_offer "$current" ''
    elif [[ -z $stop && $current == --*=* ]]; then
        ${name}_value "$path" "\${current%%=*}"
        word=\${current%%=*}=
        # What stands before the sign is a word of its own for readline, unless somebody has changed that.
        [[ $COMP_WORDBREAKS == *=* ]] && word=''
        ${name}_offer "\${current#*=}" "$word"
    else
        offer=none
        [[ $current == -* && -z $stop ]] || ${name}_argument "$path" "$place"
        if [[ $offer == none && -z $stop ]]; then
            ${name}_flags "$path"
            COMPREPLY+=($(compgen -W "$words" -- "$current"))
        else
            ${name}_offer "$current" ''
        fi
    fi
}

complete -F ${name} ${program}
`
}
