#!/usr/bin/env bash
# install_test BUILD SOURCE: what `make install` stages in DESTDIR is enough to build and run the examples with pkg-config,
# against the shared library, and exports nothing but apl_ names.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root cmake --install "$build" --prefix /usr/local >"$work/log"

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name aplaca.pc)")
library=$(pkg-config --variable=libdir aplaca)
read -ra flags <<<"$(pkg-config --cflags --libs aplaca)"
for example in matrix ask; do
    cc -std=c99 -Wall -Wextra -Werror "$source/examples/$example.c" -o "$work/$example" "${flags[@]}"
done
echo '#include <aplaca.h>' >"$work/header.cc" # a C++ program may include it too
if command -v c++ >/dev/null; then c++ -Wall -Wextra -Werror "${flags[@]}" -fsyntax-only "$work/header.cc"; fi

export LD_LIBRARY_PATH=$library
diff - <("$work/matrix") <<'TEXT'
means: 4.5 4.16667
RANK ERROR: ranks 2 and 1 (shapes 2 3 and 4)
      PRICES+1 2 3 4
            ∧
TEXT
model=$source/models/smollm2-135m-instruct-q4_1.gguf
if [[ -e $model ]]; then "$work/ask" "$model" "What is 2+2?" | grep -q 4; fi

foreign=$(nm -D --defined-only "$library/libaplaca.so" | awk '$2 ~ /[TDBR]/ && $3 !~ /^apl_/ {print $3}')
[[ -z $foreign ]] || { echo "the library exports $foreign"; exit 1; }
"$work/root/usr/local/bin/aplaca" apl -e '2+3' | grep -qx 5
