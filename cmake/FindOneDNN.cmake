# Debian's dnnl-config.cmake asks for OpenCL's development files, which fovea has no use for, so the
# library is looked for by name. Defines OneDNN::OneDNN and OneDNN_VERSION.
find_path(OneDNN_INCLUDE_DIR dnnl.hpp)
find_library(OneDNN_LIBRARY dnnl)
foreach(candidate oneapi/dnnl/dnnl_version.h dnnl_version.h)
  if(NOT OneDNN_VERSION AND EXISTS ${OneDNN_INCLUDE_DIR}/${candidate})
    file(STRINGS ${OneDNN_INCLUDE_DIR}/${candidate} lines REGEX "#define DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    string(REGEX REPLACE "[^0-9]+" ";" numbers "${lines}")
    list(REMOVE_ITEM numbers "")
    string(REPLACE ";" "." OneDNN_VERSION "${numbers}")
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR VERSION_VAR OneDNN_VERSION)
if(OneDNN_FOUND AND NOT TARGET OneDNN::OneDNN)
  add_library(OneDNN::OneDNN UNKNOWN IMPORTED)
  set_target_properties(OneDNN::OneDNN PROPERTIES IMPORTED_LOCATION ${OneDNN_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${OneDNN_INCLUDE_DIR})
endif()
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)
