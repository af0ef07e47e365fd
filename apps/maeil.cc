#include "cli/commands.h"

int main(int argc, char** argv) { return maeil::cli::main(argc, argv); }
