# bash completion for aplaca
_aplaca() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local words=""
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="run eval inspect tokenize apl doctor --help --version"
    else
        case $previous in
        -p|-n|-e|--temp|--top-k|--top-p|--min-p|--repeat-penalty|--seed|--threads|--ctx|--layers) return ;;
        -f) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        esac
        case $command in
        run) words="-p -f -n --temp --top-k --top-p --min-p --repeat-penalty --seed --threads --ctx --layers --json --help" ;;
        eval) if ((COMP_CWORD == 2)); then words="perplexity --help"; else words="--threads --ctx --layers --json --help"; fi ;;
        inspect|tokenize|doctor) words="--json --help" ;;
        apl) words="-e --help" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if ((COMP_CWORD > 1)) && [[ $current != -* ]]; then
        local -a files
        case $command in
        run|inspect|tokenize) mapfile -t files < <(compgen -f -X '!*.gguf' -- "$current"; compgen -d -- "$current") ;;
        apl) mapfile -t files < <(compgen -f -X '!*.apl*' -- "$current"; compgen -d -- "$current") ;;
        eval) mapfile -t files < <(compgen -f -- "$current") ;;
        esac
        COMPREPLY+=("${files[@]}")
    fi
}
complete -o filenames -F _aplaca aplaca
