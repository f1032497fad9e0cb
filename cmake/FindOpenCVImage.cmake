# OpenCV's own config file comes with the whole of OpenCV; fovea needs two of its libraries.
# Its codecs (imgcodecs) are not among them: they bring GDAL and all that it needs into a process.
# Defines OpenCVImage::OpenCVImage and OpenCVImage_VERSION.
find_path(OpenCVImage_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4)
set(required OpenCVImage_INCLUDE_DIR)
foreach(part imgproc core)
  find_library(OpenCVImage_${part}_LIBRARY opencv_${part})
  list(APPEND required OpenCVImage_${part}_LIBRARY)
  list(APPEND OpenCVImage_LIBRARIES ${OpenCVImage_${part}_LIBRARY})
endforeach()
if(EXISTS ${OpenCVImage_INCLUDE_DIR}/opencv2/core/version.hpp)
  file(STRINGS ${OpenCVImage_INCLUDE_DIR}/opencv2/core/version.hpp lines
       REGEX "#define CV_VERSION_(MAJOR|MINOR|REVISION) +[0-9]+")
  string(REGEX REPLACE "[^0-9]+" ";" numbers "${lines}")
  list(REMOVE_ITEM numbers "")
  string(REPLACE ";" "." OpenCVImage_VERSION "${numbers}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  OpenCVImage REQUIRED_VARS ${required} VERSION_VAR OpenCVImage_VERSION)
if(OpenCVImage_FOUND AND NOT TARGET OpenCVImage::OpenCVImage)
  add_library(OpenCVImage::OpenCVImage INTERFACE IMPORTED)
  target_include_directories(OpenCVImage::OpenCVImage SYSTEM INTERFACE ${OpenCVImage_INCLUDE_DIR})
  target_link_libraries(OpenCVImage::OpenCVImage INTERFACE ${OpenCVImage_LIBRARIES})
endif()
mark_as_advanced(${required})
