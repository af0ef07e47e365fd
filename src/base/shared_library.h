// A library that is loaded when it is first needed and not with the program, so that no command pays for it,
// or needs it, that does not use it.
#pragma once

#include <span>

#include "base/error.h"

namespace maeil {

// A function of it, and who gets its address.
struct LibraryFunction {
  const char* name;
  void (*set)(void* address);
};

// What it is called, and what people are told where it is missing or too old:
//   "<what> cannot be loaded (why): install <file> (<package>)<otherwise>"
//   "<shown> has no function f: install <newer>"
struct SharedLibrary {
  const char* file;
  const char* what;
  const char* package;
  const char* otherwise;
  const char* shown;
  const char* newer;
};

// Loads it, for as long as the program runs, and sets all functions; those of one that is refused are set to
// what no longer counts. kNotFound. Not thread safe for one and the same functions.
Status load_library(const SharedLibrary& library, std::span<const LibraryFunction> functions);

// For a list of names that is a macro, MAEIL_X_FUNCTIONS(X): each declared as a pointer that hides the
// library's function of the same name, defined, and as an entry of `functions`.
#define MAEIL_LIBRARY_DECLARATION(name) extern decltype(&::name) name;
#define MAEIL_LIBRARY_DEFINITION(name) decltype(&::name) name = nullptr;
#define MAEIL_LIBRARY_ENTRY(name) \
  {#name, [](void* address) { name = reinterpret_cast<decltype(&::name)>(address); }},

}  // namespace maeil
