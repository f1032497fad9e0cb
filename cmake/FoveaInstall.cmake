# What leaves the build: the public libraries, their headers and find_package(fovea).
include(CMakePackageConfigHelpers)
include(FoveaPkgConfig)

# fovea_public_library(TARGET EXPORT_NAME name OUTPUT_NAME name DESCRIPTION text MODULES modules...
#                      [SOURCES ...] [PUBLIC_LINK libraries...] [PRIVATE_LINK libraries...]
#                      [BORROWS modules...] [SOVERSION n] [SYMBOLS file] [C])
# One library made of the modules' objects, with fovea::name as its name here and when installed, a component
# of find_package(fovea) and a pkg-config file of its own; shared or static as BUILD_SHARED_LIBS says.
# PUBLIC_LINK is what its users compile against as well. BORROWS names modules that the linked libraries
# already contain but do not export: a shared library takes from them what it uses. SOVERSION says which
# libraries can take this one's place (those of the same minor version), SYMBOLS is the linker's version script
# (the C++ interface); C: its headers are C.
function(fovea_public_library target)
  cmake_parse_arguments(ARG "C" "EXPORT_NAME;OUTPUT_NAME;DESCRIPTION;SOVERSION;SYMBOLS"
                        "MODULES;SOURCES;PUBLIC_LINK;PRIVATE_LINK;BORROWS" ${ARGN})
  if(NOT DEFINED ARG_SOVERSION)
    set(ARG_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  endif()
  if(NOT ARG_SYMBOLS)
    set(ARG_SYMBOLS ${PROJECT_SOURCE_DIR}/cmake/fovea.map)
  endif()
  foreach(module IN LISTS ARG_MODULES)
    list(APPEND objects $<TARGET_OBJECTS:fovea_${module}>)
    fovea_third_party(fovea_${module} third_party)
  endforeach()
  add_library(${target} ${ARG_SOURCES} ${objects})
  add_library(fovea::${ARG_EXPORT_NAME} ALIAS ${target})
  set_target_properties(
    ${target}
    PROPERTIES EXPORT_NAME ${ARG_EXPORT_NAME}
               OUTPUT_NAME ${ARG_OUTPUT_NAME}
               VERSION ${PROJECT_VERSION}
               SOVERSION ${ARG_SOVERSION}
               INSTALL_RPATH $ORIGIN
               # A module's own archive may have the same name.
               ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
               LINKER_LANGUAGE CXX)
  if(NOT ARG_C)
    target_compile_features(${target} INTERFACE cxx_std_20)
  endif()
  target_include_directories(
    ${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  # The public library comes first, so that what it exports is never taken from a borrowed archive.
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC_LINK} PRIVATE ${ARG_PRIVATE_LINK}
                                                                    $<BUILD_INTERFACE:fovea_flags> ${third_party})
  if(BUILD_SHARED_LIBS)
    foreach(module IN LISTS ARG_BORROWS)
      target_link_libraries(${target} PRIVATE fovea_${module})
    endforeach()
    target_link_options(${target} PRIVATE -Wl,--version-script=${ARG_SYMBOLS})
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${ARG_SYMBOLS})
    if(NOT FOVEA_SANITIZE)
      target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
  endif()
  set_property(GLOBAL APPEND PROPERTY FOVEA_COMPONENTS ${ARG_EXPORT_NAME})
  set(required ${ARG_PUBLIC_LINK})
  if(NOT BUILD_SHARED_LIBS)
    list(APPEND required ${ARG_PRIVATE_LINK})
  endif()
  fovea_pkg_config(${target} DESCRIPTION "${ARG_DESCRIPTION}" REQUIRES ${required} LINKS ${third_party})
  if(FOVEA_INSTALL)
    install(
      TARGETS ${target}
      EXPORT fovea
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

# Appends to `result` the third-party libraries that the objects of `library` must be linked with.
function(fovea_third_party library result)
  set(found ${${result}})
  get_target_property(type ${library} TYPE)
  if(type STREQUAL INTERFACE_LIBRARY)
    get_target_property(linked ${library} INTERFACE_LINK_LIBRARIES)
  else()
    get_target_property(linked ${library} LINK_LIBRARIES)
  endif()
  foreach(below IN LISTS linked)
    if(NOT TARGET ${below})
      continue()
    endif()
    get_target_property(imported ${below} IMPORTED)
    get_target_property(type ${below} TYPE)
    if(imported)
      list(APPEND found ${below})
    elseif(type STREQUAL INTERFACE_LIBRARY)
      fovea_third_party(${below} found)
    endif()
  endforeach()
  list(REMOVE_DUPLICATES found)
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# The headers and the package's own files. Called once, after every target is there.
function(fovea_install_package)
  if(NOT FOVEA_INSTALL)
    return()
  endif()
  get_property(FOVEA_COMPONENTS GLOBAL PROPERTY FOVEA_COMPONENTS)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fovea)
  set(without)
  if(NOT FOVEA_VISION)
    list(APPEND without PATTERN image.hpp EXCLUDE)
  endif()
  if(NOT FOVEA_REQUEST)
    list(APPEND without PATTERN request.hpp EXCLUDE PATTERN session.hpp EXCLUDE PATTERN files.hpp EXCLUDE
         PATTERN drawing.hpp EXCLUDE)
  endif()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fovea DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN *.hpp ${without})
  install(FILES ${PROJECT_SOURCE_DIR}/include/fovea.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  if(TARGET fovea_vision_c_library)
    install(FILES ${PROJECT_SOURCE_DIR}/include/fovea_vision.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(EXPORT fovea NAMESPACE fovea:: FILE foveaTargets.cmake DESTINATION ${package_dir})
  configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/foveaConfig.cmake.in ${PROJECT_BINARY_DIR}/foveaConfig.cmake
    INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/foveaConfigVersion.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/foveaConfig.cmake ${PROJECT_BINARY_DIR}/foveaConfigVersion.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindFriBidi.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindHarfBuzz.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindOneDNN.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindOpenCVImage.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindWebP.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindXxHash.cmake
          DESTINATION ${package_dir})
endfunction()
