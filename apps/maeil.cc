#include <cstdio>
#include <exception>

#include "cli/commands.h"

// Errors are values here; what is thrown all the same (a broken invariant, no memory left) must not end in
// abort() and a dump.
int main(int argc, char** argv) try {
  return maeil::cli::main(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr,
               "maeil: unexpected: %s: this is a bug of maeil, or its store or memory is damaged: `maeil "
               "doctor` looks\n",
               error.what());
  return 1;
}
