# One module, one folder, one target: the helpers that every CMakeLists.txt below uses.

add_library(fovea_flags INTERFACE)
target_compile_options(fovea_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                             -Wold-style-cast -Wconversion -Wno-sign-conversion)
# GCC 12 reports a false overlap in std::string's operator+ (its bug 105651), and with it others
# where the header is precompiled.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(fovea_flags INTERFACE -Wno-restrict)
  if(FOVEA_PRECOMPILE)
    target_compile_options(fovea_flags INTERFACE -Wno-stringop-overflow -Wno-array-bounds)
  endif()
endif()
# GCC tidies its memory up too early for these sources: they need less than this.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(fovea_flags INTERFACE --param=ggc-min-heapsize=524288)
endif()
if(FOVEA_WERROR)
  target_compile_options(fovea_flags INTERFACE -Werror)
endif()
if(FOVEA_SANITIZE)
  target_compile_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE} -fno-sanitize-recover=all
                                               -fno-omit-frame-pointer)
  target_link_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE})
endif()
target_include_directories(
  fovea_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)

# What does no arithmetic of its own is compiled with less optimisation, which takes less time.
set(FOVEA_COMPILE_FAST $<$<CONFIG:Release,RelWithDebInfo>:-O1>)

# A precompiled header serves targets whose flags are its own. It holds what changes with the
# compiler or a library, never fovea's own headers, or every object would depend on all of them.
set(FOVEA_STANDARD_HEADERS
    <algorithm> <array> <atomic> <chrono> <cmath> <compare> <cstddef> <cstdint> <deque> <filesystem> <functional>
    <limits> <map> <memory> <mutex> <numeric> <optional> <set> <span> <stop_token> <string> <string_view> <tuple>
    <unordered_map> <utility> <variant> <vector>)

# fovea_precompiled(NAME HEADERS ... [LINK libraries...] [FLAGS ...] [PROGRAMS]): a target that other
# targets use with fovea_use_precompiled: libraries, or PROGRAMS.
function(fovea_precompiled name)
  cmake_parse_arguments(ARG "PROGRAMS" "" "HEADERS;LINK;FLAGS" ${ARGN})
  if(NOT FOVEA_PRECOMPILE)
    return()
  endif()
  set(unit ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${unit} CONTENT "// The target needs a source.\n")
  add_library(${name} OBJECT ${unit})
  target_link_libraries(${name} PRIVATE fovea_flags ${ARG_LINK})
  target_compile_options(${name} PRIVATE ${ARG_FLAGS})
  if(ARG_PROGRAMS)
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIE)
  endif()
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  fovea_let_cache_precompiled(${name})
endfunction()

function(fovea_use_precompiled target name)
  if(FOVEA_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
    fovea_let_cache_precompiled(${target})
  endif()
endfunction()

# ccache preprocesses what it has not seen yet.
function(fovea_let_cache_precompiled target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

fovea_precompiled(fovea_standard_headers HEADERS ${FOVEA_STANDARD_HEADERS})
fovea_precompiled(fovea_standard_headers_fast HEADERS ${FOVEA_STANDARD_HEADERS} FLAGS ${FOVEA_COMPILE_FAST})

# fovea_module(NAME SOURCES ... DEPENDS other modules... THIRD_PARTY libraries... [PRECOMPILED headers...]
#              [COMPILED_FAST [FULLY_OPTIMIZED sources...]] [OWN_FLAGS])
# A third-party library is PRIVATE: its headers reach no other module. PRECOMPILED: its headers that
# most of the sources include. FULLY_OPTIMIZED: the sources of such a module that do arithmetic on tensors; a
# precompiled header would not fit them. OWN_FLAGS: compiled with flags that others are not.
function(fovea_module name)
  cmake_parse_arguments(ARG "COMPILED_FAST;OWN_FLAGS" "" "SOURCES;DEPENDS;THIRD_PARTY;PRECOMPILED;FULLY_OPTIMIZED" ${ARGN})
  add_library(fovea_${name} STATIC ${ARG_SOURCES})
  if(ARG_COMPILED_FAST)
    target_compile_options(fovea_${name} PRIVATE ${FOVEA_COMPILE_FAST})
    set_source_files_properties(
      ${ARG_FULLY_OPTIMIZED} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                                        COMPILE_OPTIONS $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
  endif()
  if(ARG_PRECOMPILED)
    if(FOVEA_PRECOMPILE)
      target_precompile_headers(fovea_${name} PRIVATE ${FOVEA_STANDARD_HEADERS} ${ARG_PRECOMPILED})
      fovea_let_cache_precompiled(fovea_${name})
    endif()
  elseif(ARG_COMPILED_FAST)
    fovea_use_precompiled(fovea_${name} fovea_standard_headers_fast)
  elseif(NOT ARG_OWN_FLAGS)
    fovea_use_precompiled(fovea_${name} fovea_standard_headers)
  endif()
  target_link_libraries(fovea_${name} PRIVATE fovea_flags ${ARG_THIRD_PARTY})
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(fovea_${name} PUBLIC fovea_${dependency})
  endforeach()
endfunction()

# fovea_test(NAME SOURCES ... LINK libraries... [LABELS ...] [WHOLE]): a GoogleTest program, each case a
# ctest case; WHOLE makes one ctest case of a suite whose cases are too many and too short for a process
# each. Tests run side by side on few cores, where waiting threads had better sleep.
function(fovea_test name)
  cmake_parse_arguments(ARG "WHOLE" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if(NOT OpenMP::OpenMP_CXX IN_LIST ARG_LINK)
    fovea_use_precompiled(${name} fovea_test_headers)
  endif()
  target_link_libraries(${name} PRIVATE fovea_flags ${ARG_LINK} GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE ${FOVEA_COMPILE_FAST})
  target_compile_definitions(${name} PRIVATE FOVEA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # GCC 14 takes the payload of an empty std::optional for read where a braced list is assigned.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(${name} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(ARG_WHOLE)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS "${ARG_LABELS}"
                                            ENVIRONMENT OMP_WAIT_POLICY=passive)
  else()
    include(GoogleTest)
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 NO_PRETTY_VALUES
                         PROPERTIES TIMEOUT 600 LABELS "${ARG_LABELS}"
                                    ENVIRONMENT OMP_WAIT_POLICY=passive)
  endif()
endfunction()
