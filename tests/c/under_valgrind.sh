#!/bin/sh
# usage: under_valgrind.sh SANITIZERS PROGRAM ARGUMENTS...
sanitizers=$1
shift
if [ -n "$sanitizers" ]; then
  echo "skipped: a program with sanitizers does not run under valgrind"
  exit 77
fi
if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed"
  exit 77
fi
exec valgrind --quiet --error-exitcode=3 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  "$@"
