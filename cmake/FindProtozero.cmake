# protozero is headers alone, without a config file for CMake. Defines Protozero::protozero and Protozero_VERSION.
find_path(Protozero_INCLUDE_DIR protozero/pbf_reader.hpp)
if(EXISTS ${Protozero_INCLUDE_DIR}/protozero/version.hpp)
  file(STRINGS ${Protozero_INCLUDE_DIR}/protozero/version.hpp lines
       REGEX "#define PROTOZERO_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
  string(REGEX REPLACE "[^0-9]+" ";" numbers "${lines}")
  list(REMOVE_ITEM numbers "")
  string(REPLACE ";" "." Protozero_VERSION "${numbers}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Protozero REQUIRED_VARS Protozero_INCLUDE_DIR VERSION_VAR Protozero_VERSION)
if(Protozero_FOUND AND NOT TARGET Protozero::protozero)
  add_library(Protozero::protozero INTERFACE IMPORTED)
  set_target_properties(Protozero::protozero PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${Protozero_INCLUDE_DIR})
endif()
mark_as_advanced(Protozero_INCLUDE_DIR)
