# Debian's libxxhash comes without a config file for CMake; it has code for several CPUs, which others may
# leave out (xxh_x86dispatch.h). Defines XxHash::xxhash and XxHash_VERSION.
find_path(XxHash_INCLUDE_DIR xxh_x86dispatch.h)
find_library(XxHash_LIBRARY xxhash)
if(EXISTS ${XxHash_INCLUDE_DIR}/xxhash.h)
  file(STRINGS ${XxHash_INCLUDE_DIR}/xxhash.h lines
       REGEX "#define XXH_VERSION_(MAJOR|MINOR|RELEASE) +[0-9]+")
  string(REGEX REPLACE "[^0-9]+" ";" numbers "${lines}")
  list(REMOVE_ITEM numbers "")
  string(REPLACE ";" "." XxHash_VERSION "${numbers}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  XxHash REQUIRED_VARS XxHash_LIBRARY XxHash_INCLUDE_DIR VERSION_VAR XxHash_VERSION)
if(XxHash_FOUND AND NOT TARGET XxHash::xxhash)
  add_library(XxHash::xxhash UNKNOWN IMPORTED)
  set_target_properties(
    XxHash::xxhash PROPERTIES IMPORTED_LOCATION ${XxHash_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                  ${XxHash_INCLUDE_DIR})
endif()
mark_as_advanced(XxHash_INCLUDE_DIR XxHash_LIBRARY)
