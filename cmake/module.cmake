# maeil_module(<name>): one library, one test program and one benchmark program for the folder src/<name>.
#
# Every *.cc of the folder belongs to it by its name alone: x_test.cc to <name>_test, x_bench.cc to <name>_bench,
# x_fuzz.cc is a program of its own (a fuzzer has one entry point), the rest goes to the library. What it may link comes from
# tools/layers.txt, so an include that the table forbids does not even find its symbols. External libraries are named by the
# caller: maeil_module(format LIBS libzip::zip). CALCULATES: its loops are slow without an optimiser (a sanitizer's build has
# none elsewhere).
file(STRINGS ${CMAKE_SOURCE_DIR}/tools/layers.txt MAEIL_LAYERS REGEX "^[a-z]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/layers.txt)

function(maeil_module name)
  cmake_parse_arguments(ARG "CALCULATES" "SERVER_PARTS" "LIBS" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${all})
  set(benches ${all})
  set(fuzzers ${all})
  set(sources ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")

  set(below)
  foreach(line ${MAEIL_LAYERS})
    if(line MATCHES "^${name}: *(.*)$")
      string(REPLACE " " ";" folders "${CMAKE_MATCH_1}")
      foreach(folder ${folders})
        list(APPEND below maeil_${folder})
      endforeach()
    endif()
  endforeach()

  if(sources)
    add_library(maeil_${name} STATIC ${sources})
    target_include_directories(maeil_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(maeil_${name} PUBLIC ${below} ${ARG_LIBS})
    target_compile_options(maeil_${name} PRIVATE ${MAEIL_WARNINGS})
    if(MAEIL_SANITIZE AND ARG_CALCULATES)  # optimised, unlike the rest, which the precompiled headers belong to
      target_compile_options(maeil_${name} PRIVATE -O1)
    else()
      target_precompile_headers(maeil_${name} REUSE_FROM maeil_precompiled)
    endif()
    if(ARG_CALCULATES AND NOT MAEIL_SANITIZE)  # where one file has several instruction sets
      set_target_properties(maeil_${name} PROPERTIES UNITY_BUILD OFF)
    endif()
  else()
    add_library(maeil_${name} INTERFACE)
    target_include_directories(maeil_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(maeil_${name} INTERFACE ${below} ${ARG_LIBS})
  endif()
  if(tests AND BUILD_TESTING)
    maeil_test(${name}_test SOURCES ${tests} LIBS maeil_${name} SERVER_PARTS ${ARG_SERVER_PARTS})
  endif()
  if(benches AND MAEIL_BENCHMARKS)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE maeil_${name} benchmark::benchmark benchmark::benchmark_main)
  endif()
  if(MAEIL_FUZZ)
    foreach(file ${fuzzers})
      maeil_fuzzer(${file} maeil_${name})
    endforeach()
  endif()
endfunction()

# maeil_fuzzer(<x_fuzz.cc> <library>): the program x_fuzz, for ten seconds the test fuzz.x (tools/fuzz).
function(maeil_fuzzer file library)
  get_filename_component(program ${file} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" reader ${program})
  add_executable(${program} ${file})
  target_link_libraries(${program} PRIVATE ${library})
  target_compile_options(${program} PRIVATE ${MAEIL_WARNINGS})
  target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${program})
  add_test(NAME fuzz.${reader} COMMAND ${CMAKE_SOURCE_DIR}/tools/fuzz ${CMAKE_BINARY_DIR} 10 ${reader})
  set_tests_properties(fuzz.${reader} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# maeil_test(<program> SOURCES ... LIBS ...): a GoogleTest program; each test is known to ctest by its full name.
# A suite whose name ends in "Golden" gets the ctest label golden, one ending in "Slow" the label slow. What is instantiated as
# "Servers" is slow as well and shares a database server, so it runs as one test in SERVER_PARTS parts, each with servers of its own.
# A sanitizer's build leaves the slow ones out.
function(maeil_test program)
  cmake_parse_arguments(ARG "" "SERVER_PARTS" "SOURCES;LIBS" ${ARGN})
  add_executable(${program} ${ARG_SOURCES})
  target_link_libraries(${program} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${program} PRIVATE MAEIL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_compile_options(${program} PRIVATE ${MAEIL_WARNINGS} ${MAEIL_TEST_OPTIONS})
  target_precompile_headers(${program} REUSE_FROM maeil_precompiled_tests)
  add_dependencies(unit_tests ${program})
  if(NOT MAEIL_SANITIZE)  # file by file: of two tests' helpers of one name the right one is called
    set_target_properties(${program} PROPERTIES UNITY_BUILD OFF)
  endif()
  set(fast_timeout 300)
  set(golden_timeout 600)
  if(MAEIL_SANITIZE)  # ten times slower, and beside other work
    set(fast_timeout 1800)
    set(golden_timeout 1800)
  endif()
  gtest_discover_tests(${program} DISCOVERY_TIMEOUT 120 TEST_FILTER "*Golden.*" TEST_LIST ${program}_golden
                       PROPERTIES LABELS golden TIMEOUT ${golden_timeout})
  gtest_discover_tests(${program} DISCOVERY_TIMEOUT 120 TEST_FILTER "-*Golden.*:*Slow.*:Servers/*" TEST_LIST ${program}_fast
                       PROPERTIES LABELS fast TIMEOUT ${fast_timeout})
  if(MAEIL_SANITIZE)
    return()
  endif()
  gtest_discover_tests(${program} DISCOVERY_TIMEOUT 120 TEST_FILTER "*Slow.*:-Servers/*" TEST_LIST ${program}_slow
                       PROPERTIES LABELS slow TIMEOUT 1800)
  if(ARG_SERVER_PARTS)
    math(EXPR last "${ARG_SERVER_PARTS} - 1")
    foreach(part RANGE ${last})
      add_test(NAME ${program}.Servers.${part}
               COMMAND ${CMAKE_SOURCE_DIR}/tests/gtest_part $<TARGET_FILE:${program}> --gtest_filter=Servers/*)
      # Half of their time they wait: beside the compilers of `make check` nobody does.
      set_tests_properties(${program}.Servers.${part} PROPERTIES LABELS slow TIMEOUT 1800 SKIP_RETURN_CODE 77 COST 500
                           ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SERVER_PARTS};GTEST_SHARD_INDEX=${part}")
    endforeach()
  endif()
endfunction()
