# bash completion for aplaca
_aplaca() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local engine="--threads --layers --kv --exact --no-fused" words=""
    local -a files
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="run eval bench inspect tokenize apl doctor --help --version"
    else
        case $previous in
        -p|-n|-e|--temp|--top-k|--top-p|--min-p|--repeat-penalty|--seed|--stop|--system|--threads|--ctx|--chunk) return ;;
        --layers|--chunks|--metadata|--decode|--seconds|--memory) return ;;
        --kv) mapfile -t COMPREPLY < <(compgen -W "q12 f16 f32 q8 q4" -- "$current"); return ;;
        -r|--depth|--sequences|--against|--against-regex) return ;;
        --shape) mapfile -t COMPREPLY < <(compgen -W "tinyllama mistral-7b smollm2 llama-8b" -- "$current"); return ;;
        --bits) mapfile -t COMPREPLY < <(compgen -W "8 4 2 ternary bitnet 1" -- "$current"); return ;;
        -f|--test|--save) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --model) mapfile -t COMPREPLY < <(compgen -f -X '!*.gguf' -- "$current"; compgen -d -- "$current"); return ;;
        esac
        case $command in
        run) words="-p -f -n --temp --top-k --top-p --min-p --repeat-penalty --seed --stop --system --raw --ctx --chunk
                    $engine --json --help" ;;
        eval) if ((COMP_CWORD == 2)); then words="perplexity --help"
              else words="--model --ctx --chunks $engine --json --help"; fi ;;
        bench) words="--shape --bits --layers --seed --save -p -n --depth --threads --sequences -r --chunk --against --against-regex --profile --kv --exact --no-fused --seconds
                      --json --help" ;;
        inspect) words="--tensors --metadata --ctx --json --help" ;;
        tokenize) words="--ids --count --no-special --decode --json --help" ;;
        apl) words="-e --model --exact --no-fused --memory --test --help" ;;
        doctor) words="--seconds --json --help" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if ((COMP_CWORD > 1)) && [[ $current != -* ]]; then
        case $command in
        run|bench|inspect|tokenize) mapfile -t files < <(compgen -f -X '!*.gguf' -- "$current"; compgen -d -- "$current") ;;
        apl) mapfile -t files < <(compgen -f -X '!*.apl*' -- "$current"; compgen -d -- "$current") ;;
        eval) ((COMP_CWORD > 2)) && mapfile -t files < <(compgen -f -- "$current") ;;
        esac
        COMPREPLY+=("${files[@]}")
    fi
}
complete -o filenames -F _aplaca aplaca
