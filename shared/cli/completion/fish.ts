import { flagGroups, functionName, offerText, type Completion } from './model.ts'

const quoted = (text: string): string => `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`

/** Words with what they mean, as fish takes them: apart by a tab. */
const described = (words: readonly (readonly [word: string, meaning: string])[]): string =>
  `printf '%s\\t%s\\n' ${words.flatMap(([word, meaning]) => [quoted(word), quoted(meaning)]).join(' ')}`

/** A script for fish 3.1 or newer. */
export function fishCompletion(completion: Completion): string {
  const { program, next, commands } = completion
  const name = `_${functionName(program)}`
  const { same, apart } = flagGroups(completion)
  return `# Completion of ${program} for fish, made by: ${program} completion fish

# What can follow these words of a command.
function ${name}_next --argument-names path
    switch "$path"
${[...next]
  .map(
    ([path, words]) => `        case ${quoted(path)}
            ${described(words.map(({ word, description }) => [word, description]))}`,
  )
  .join('\n')}
    end
end

function ${name}_flags --argument-names path
    switch "$path"
${commands
  .map(
    ({ path, options }) => `        case ${quoted(path)}
            ${described(options.map(({ flag, description }) => [flag, description]))}`,
  )
  .join('\n')}
    end
end

# What an option of a command takes.
function ${name}_value --argument-names path flag
    switch "$flag"
${[...same]
  .map(
    ([offer, flags]) => `        case ${flags.join(' ')}
            echo ${quoted(offer)}`,
  )
  .join('\n')}
${apart
  .map(
    ({ flag, usual, exceptions }) => `        case ${flag}
            switch "$path"
${exceptions
  .map(
    ({ offer, paths }) => `                case ${paths.map(quoted).join(' ')}
                    echo ${quoted(offer)}`,
  )
  .join('\n')}
                case '*'
                    echo ${quoted(usual)}
            end`,
  )
  .join('\n')}
        case '*'
            echo switch
    end
end

# What stands at a place of a command, from 0.
function ${name}_argument --argument-names path place
    switch "$path $place"
${commands
  .flatMap((command) =>
    command.arguments.map(
      ({ offer, isRepeatable }, index) =>
        `        case ${quoted(`${command.path} ${isRepeatable ? '*' : index}`)}
            echo ${quoted(offerText(offer))}`,
    ),
  )
  .join('\n')}
        case '*'
            echo none
    end
end

# Offers what an option or an argument takes, for what is there of it already.
function ${name}_offer --argument-names offer have before
    set -l words (string split ' ' -- $offer)
    switch $words[1]
        case words
            printf '%s\\n' $before$words[2..-1]
        case list
            set -l earlier (string match --regex '.*,' -- $have)
            printf '%s\\n' $before"$earlier"$words[2..-1]
        case file
            for found in (__fish_complete_path $have)
                echo $before$found
            end
        case directory
            for found in (__fish_complete_directories $have)
                echo $before$found
            end
    end
end

function ${name}
    set -l line (commandline --tokenize --cut-at-cursor --current-process)
    set -e line[1]
    set -l current (commandline --current-token --cut-at-cursor)
    set -l path
    set -l helping
    if test "$line[1]" = help
        set helping yes
        set -e line[1]
    end
    while set -q line[1]; and contains -- $line[1] (${name}_next "$path" | string replace --regex '\\t.*' '')
        set path (string trim -- "$path $line[1]")
        set -e line[1]
    end
    if not set -q line[1]
        ${name}_next "$path"
    end
    if test -n "$helping"
        return
    end
    set -l place 0
    set -l flag
    set -l stop
    for word in $line
        if test -n "$flag"
            set flag
        else if test -z "$stop"; and test "$word" = --
            set stop yes
        else if test -z "$stop"; and string match --quiet --regex '^-.' -- $word
            if not string match --quiet '*=*' -- $word; and test (${name}_value "$path" $word) != switch
                set flag $word
            end
        else
            set place (math $place + 1)
        end
    end
    if test -n "$flag"
        ${name}_offer (${name}_value "$path" $flag) "$current" ''
    else if test -z "$stop"; and string match --quiet -- '--*=*' $current
        set -l parts (string split --max 1 = -- $current)
        ${name}_offer (${name}_value "$path" $parts[1]) "$parts[2]" $parts[1]=
    else
        set -l offer none
        if not string match --quiet -- '-*' $current
            set offer (${name}_argument "$path" $place)
            ${name}_offer $offer "$current" ''
        end
        if test $offer = none; and test -z "$stop"
            ${name}_flags "$path"
        end
    end
end

complete --command ${program} --no-files --arguments '(${name})'
`
}
