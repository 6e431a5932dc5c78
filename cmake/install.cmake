# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Headers, CMake package and pkg-config file. Nothing in them depends on the processor or the path: of the
# importers and the run-time model the package has schemas and a source. The program lowbits
# (tools/lowbits) goes into bin/ where it was built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/lowbits)
set(data_dir ${CMAKE_INSTALL_DATADIR}/lowbits)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/lowbits DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN *.hpp PATTERN *.inc)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(TARGETS lowbits EXPORT lowbits)
install(EXPORT lowbits NAMESPACE lowbits:: FILE lowbitsTargets.cmake DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/lowbitsConfig.cmake.in
  ${PROJECT_BINARY_DIR}/lowbitsConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR data_dir)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lowbitsConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/lowbitsConfig.cmake ${PROJECT_BINARY_DIR}/lowbitsConfigVersion.cmake
  cmake/lowbits_add_model.cmake cmake/tflite.cmake cmake/onnx.cmake cmake/ncnn.cmake cmake/runtime.cmake
  DESTINATION ${package_dir})
install(FILES tools/schemas/tflite.fbs tools/schemas/onnx.proto DESTINATION ${data_dir}/schemas)
install(FILES tools/runtime/runtime_steps.cpp DESTINATION ${data_dir}/runtime)

configure_file(${PROJECT_SOURCE_DIR}/cmake/lowbits.pc.in ${PROJECT_BINARY_DIR}/lowbits.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lowbits.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
