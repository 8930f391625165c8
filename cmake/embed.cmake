# Writes OUTPUT, a C file that holds every apl/*.apl below DIRECTORY as a string (src/lang/embedded.h declares the table).
# Run by the build as: cmake -D DIRECTORY=... -D OUTPUT=... -P embed.cmake
file(GLOB files LIST_DIRECTORIES false ${DIRECTORY}/*.apl)
set(texts "")
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(SIZE ${file} size)
  file(READ ${file} bytes HEX)
  # Each byte becomes \xNN; a literal ends after each newline, which keeps the lines of the output short.
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REPLACE "\\x0a" "\\x0a\"\n    \"" bytes "${bytes}")
  string(APPEND rows "    {\"${name}\", \"${bytes}\", ${size}},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"lang/embedded.h\"\n\nconst AplEmbeddedFile apli_embedded_files[] = {\n"
     "${rows}    {NULL, NULL, 0},\n};\n")
