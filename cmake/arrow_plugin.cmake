# libmaeil_arrow.so: Parquet and Arrow IPC by Arrow C++, whose headers and libraries the pyarrow package has inside. Made where such
# a package is (`make arrow` puts one below build/arrow), and loaded by maeil when a file needs it: maeil itself is built, starts
# and runs without.
set(MAEIL_PYARROW_FOUND "")
if(EXISTS ${CMAKE_SOURCE_DIR}/build/arrow/ready)  # all of it is there
  file(GLOB MAEIL_PYARROW_FOUND ${CMAKE_SOURCE_DIR}/build/arrow/lib/python3*/site-packages/pyarrow)
endif()
set(MAEIL_PYARROW "${MAEIL_PYARROW_FOUND}" CACHE PATH "the folder of the Python package pyarrow, with its include/ and libarrow.so.*")
if(NOT MAEIL_PYARROW AND MAEIL_PYARROW_FOUND)  # made since
  set(MAEIL_PYARROW "${MAEIL_PYARROW_FOUND}" CACHE PATH "" FORCE)
endif()

if(MAEIL_PYARROW AND NOT MAEIL_SANITIZE)  # Arrow's own libraries have no sanitizer in them
  file(GLOB arrow_libraries ${MAEIL_PYARROW}/libarrow.so.* ${MAEIL_PYARROW}/libparquet.so.*)
  list(LENGTH arrow_libraries found)
  if(NOT EXISTS ${MAEIL_PYARROW}/include/arrow/api.h OR NOT found EQUAL 2)
    message(FATAL_ERROR "MAEIL_PYARROW=${MAEIL_PYARROW} has no include/arrow/api.h, or not one libarrow.so.* and one libparquet.so.*: "
                        "name the folder of the package pyarrow, or leave it empty")
  endif()
  file(GLOB arrow_plugin_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/arrow_plugin/*.cc)
  add_library(maeil_arrow MODULE ${arrow_plugin_sources})
  target_include_directories(maeil_arrow PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(maeil_arrow SYSTEM PRIVATE ${MAEIL_PYARROW}/include)
  target_compile_options(maeil_arrow PRIVATE ${MAEIL_WARNINGS} -fvisibility=hidden)
  target_link_libraries(maeil_arrow PRIVATE ${arrow_libraries})
  # Arrow's libraries beside it, else where they were when it was built.
  set_target_properties(maeil_arrow PROPERTIES UNITY_BUILD OFF LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
                        BUILD_RPATH "$ORIGIN;${MAEIL_PYARROW}" BUILD_WITH_INSTALL_RPATH OFF)
endif()
